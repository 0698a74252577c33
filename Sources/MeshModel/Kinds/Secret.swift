// SPDX-License-Identifier: Apache-2.0

/// A core/v1 Secret, as far as proxies are given it: a certificate with its key, roots, and logins
/// for registries.
///
/// Other entries are not kept at all.
package struct Secret: ConfigObject {
  package static let kind = ObjectKind.secret

  package struct KeyPair: Hashable, Sendable {
    /// PEM, the server's own certificate first.
    package var certificateChain: [UInt8]
    /// PEM.
    package var privateKey: SensitiveBytes
    /// A DER-encoded OCSP response; empty where there is none.
    package var ocspStaple: [UInt8]

    package init(
      certificateChain: [UInt8], privateKey: SensitiveBytes, ocspStaple: [UInt8] = []
    ) {
      self.certificateChain = certificateChain
      self.privateKey = privateKey
      self.ocspStaple = ocspStaple
    }
  }

  /// When a certificate begins and ceases to be valid, in seconds since the Unix epoch.
  package struct Validity: Hashable, Sendable {
    /// The entry of `data` or `stringData` that the certificate stands in.
    package var path: FieldPath
    package var notBefore: Int64
    package var notAfter: Int64

    package init(path: FieldPath, notBefore: Int64, notAfter: Int64) {
      self.path = path
      self.notBefore = notBefore
      self.notAfter = notAfter
    }
  }

  package var meta: ObjectMeta
  package var keyPair: KeyPair?
  /// PEM; nil where the Secret has no roots.
  package var caCertificates: [UInt8]?
  /// PEM, or empty.
  package var revocationList: [UInt8] = []
  /// Of every certificate, in their order.
  package var validities: [Validity] = []
  /// The text of `.dockerconfigjson`, for pulls of Wasm modules.
  package var dockerConfig: SensitiveBytes?

  package init(meta: ObjectMeta, keyPair: KeyPair? = nil, caCertificates: [UInt8]? = nil) {
    self.meta = meta
    self.keyPair = keyPair
    self.caCertificates = caCertificates
  }
}
