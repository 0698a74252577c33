// SPDX-License-Identifier: Apache-2.0

/// A certificate for a.example.com with its key, valid for a century from 2026, each as the content of
/// a double-quoted YAML text.
enum TestKeyPair {
  static let certificate =
    "-----BEGIN CERTIFICATE-----\\n"
    + "MIIBiTCCAS+gAwIBAgIURoikWWY0cEc4nMHfHwe17YG1gaUwCgYIKoZIzj0EAwIw\\n"
    + "DDEKMAgGA1UEAwwBYTAgFw0yNjExMjExNzUyMDlaGA8yMTI2MTAyODE3NTIwOVow\\n"
    + "DDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABIdHXYEscrjZ\\n"
    + "am9jePMzJwDMFKtfZe81jd+VbVeo6E/WpAhNr9/25rUa/dJXufV4EtlsQAuUecMt\\n"
    + "QPc75JMF7I6jbTBrMB0GA1UdDgQWBBR5c6Ykmh2lij6WsTIkxWxL7XoH5zAfBgNV\\n"
    + "HSMEGDAWgBR5c6Ykmh2lij6WsTIkxWxL7XoH5zAPBgNVHRMBAf8EBTADAQH/MBgG\\n"
    + "A1UdEQQRMA+CDWEuZXhhbXBsZS5jb20wCgYIKoZIzj0EAwIDSAAwRQIhAK/dMSy+\\n"
    + "RcrbkR+6fk2jf0cLTsRhpdLck9QqJEXsvDuqAiB8Vxmk1P8Dn+1fbysF9vpZOBE9\\n"
    + "QdNXSqVKxm5y5OTFqg==\\n"
    + "-----END CERTIFICATE-----\\n"

  static let key =
    "-----BEGIN PRIVATE KEY-----\\n"
    + "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgGGdieP8wIVXPK1hw\\n"
    + "MiGztIMrcE7OZDMvJyOkw6wulp6hRANCAASHR12BLHK42WpvY3jzMycAzBSrX2Xv\\n"
    + "NY3flW1XqOhP1qQITa/f9ua1Gv3SV7n1eBLZbEALlHnDLUD3O+STBeyO\\n"
    + "-----END PRIVATE KEY-----\\n"
}
