// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/uri.hpp"

#include <catch2/catch.hpp>

using namespace domkeeper;

TEST_CASE("a shown URI has no credentials and no query", "[uri]") {
    struct Row {
        const char* uri;
        const char* shown;
    };
    const Row row = GENERATE(values<Row>({
        {"qemu:///system", "qemu:///system"},
        {"qemu+tcp://10.77.0.1/system", "qemu+tcp://10.77.0.1/system"},
        {"qemu+ssh://root@xen1/system?keyfile=/etc/key", "qemu+ssh://xen1/system"},
        {"qemu+tcp://bob:s3cret@xen1:16509/system", "qemu+tcp://xen1:16509/system"},
        {"qemu+tcp://bob:p/w@d@xen1/system", "qemu+tcp://xen1/system"},
        {"qemu+unix:///system?socket=/run/a@b", "qemu+unix:///system"},
        {"test:///default", "test:///default"},
        {"evil\n|uri", "evil??uri"},
        {"", ""},
    }));
    CHECK(shown_uri(row.uri) == row.shown);
}

TEST_CASE("messages lose the secrets of their URI", "[uri]") {
    const std::string uri = "qemu+tcp://bob:s3cret@xen1/system?password=letmein";
    const std::string message = without_secrets(
        "can't open '" + uri + "' as bob:s3cret@xen1\nwith s3cret, password=letmein\n", uri);
    CHECK(message.find("s3cret") == std::string::npos);
    CHECK(message.find("letmein") == std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
    CHECK(message.find("qemu+tcp://xen1/system") != std::string::npos);
    CHECK(without_secrets("a|b\x1b[2J", "test:///default") == "a?b?[2J");
}

TEST_CASE("parameters are added to a URI once", "[uri]") {
    CHECK(with_uri_parameter("qemu+ssh://h/system", "no_tty=1") == "qemu+ssh://h/system?no_tty=1");
    CHECK(with_uri_parameter("qemu+ssh://h/system?a=b", "no_tty=1") ==
          "qemu+ssh://h/system?a=b&no_tty=1");
    CHECK(with_uri_parameter("qemu+ssh://h/system?no_tty=0", "no_tty=1") ==
          "qemu+ssh://h/system?no_tty=0");
    CHECK(uri_uses_ssh("qemu+ssh://h/system"));
    CHECK(uri_uses_ssh("xen+libssh2://h/system"));
    CHECK_FALSE(uri_uses_ssh("qemu+tcp://ssh/system"));
    CHECK_FALSE(uri_uses_ssh("qemu:///system"));
}

TEST_CASE("what another machine may use of a URI", "[uri]") {
    CHECK(uri_for_others("xen+tls://xen2/system?pkipath=/etc/domkeeper/pki") ==
          "xen+tls://xen2/system");
    CHECK(uri_for_others("xen+ssh://root@xen2/?keyfile=/k&no_verify=1") == "xen+ssh://root@xen2/");
    CHECK(uri_for_others("xen+tcp://10.0.0.2/system") == "xen+tcp://10.0.0.2/system");
}
