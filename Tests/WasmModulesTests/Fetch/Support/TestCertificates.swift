// SPDX-License-Identifier: Apache-2.0

/// A private CA and a server certificate by it, for modules.example and registry.example.
///
/// Made for these tests and valid for a hundred years; the CA's own key was thrown away:
/// `openssl req -x509 -days 36500 …`, then `openssl x509 -req -CA ca.pem …`.
enum TestCertificates {
  static let authority = """
    -----BEGIN CERTIFICATE-----
    MIIBijCCATGgAwIBAgIUSDpToEG06pJ2vV0ta1flWMtMypowCgYIKoZIzj0EAwIw
    EjEQMA4GA1UEAwwHVGVzdCBDQTAgFw0yNjExMjExNTEwNDNaGA8yMTI2MTAyODE1
    MTA0M1owEjEQMA4GA1UEAwwHVGVzdCBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEH
    A0IABEjzJ7RwdKn8IiuFxj+ytkgAj9RF6s3kRLZfoMNsCwJt55rR7zHtVNFRpnzT
    4cBC7EnOaY5SukjFuGc5BlHoucejYzBhMB0GA1UdDgQWBBRqHh5B/48ZiH14u6Rm
    n28XbJPcCDAfBgNVHSMEGDAWgBRqHh5B/48ZiH14u6Rmn28XbJPcCDAPBgNVHRMB
    Af8EBTADAQH/MA4GA1UdDwEB/wQEAwICBDAKBggqhkjOPQQDAgNHADBEAiBTFGZr
    zHAqpiSwtQBRTkbWWHO2Ry/xfkYSqdeWM0WcJwIgcYMuhzCv6AHqxDo3GoiWWULq
    8scMb45aqdqa1LPRNZQ=
    -----END CERTIFICATE-----
    """

  static let server = """
    -----BEGIN CERTIFICATE-----
    MIIBtzCCAV2gAwIBAgIUYqJdamn2QP1Q7vfOwldJDY41NAQwCgYIKoZIzj0EAwIw
    EjEQMA4GA1UEAwwHVGVzdCBDQTAgFw0yNjExMjExNTEwNDNaGA8yMTI2MTAyODE1
    MTA0M1owGjEYMBYGA1UEAwwPbW9kdWxlcy5leGFtcGxlMFkwEwYHKoZIzj0CAQYI
    KoZIzj0DAQcDQgAExI9bbWEdMACTu6zsDdbOwymCDM74T3sNWXgmLDlNDAGOHRzp
    lAuNLu0S213dodLZ9K6M+j2SzcP4cJjjT79jOaOBhjCBgzAsBgNVHREEJTAjgg9t
    b2R1bGVzLmV4YW1wbGWCEHJlZ2lzdHJ5LmV4YW1wbGUwEwYDVR0lBAwwCgYIKwYB
    BQUHAwEwHQYDVR0OBBYEFD8mESbG4fd0Smg/r6rWIDKDJAclMB8GA1UdIwQYMBaA
    FGoeHkH/jxmIfXi7pGafbxdsk9wIMAoGCCqGSM49BAMCA0gAMEUCIFENJA8mRSEU
    1wTd0SqRTwVxioLd3jhMucocW9i2ytETAiEA6yd0HxB1HQ+GjWtci8vJ3hgYs04s
    P1R259xkpTe5S5I=
    -----END CERTIFICATE-----
    """

  static let serverKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+i74oopxtpaT4GOy
    0VFh3VXLr+NcqWJr1Gdn+j3ZDDyhRANCAATEj1ttYR0wAJO7rOwN1s7DKYIMzvhP
    ew1ZeCYsOU0MAY4dHOmUC40u7RLbXd2h0tn0roz6PZLNw/hwmONPv2M5
    -----END PRIVATE KEY-----
    """
}
