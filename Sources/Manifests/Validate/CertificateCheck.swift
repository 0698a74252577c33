// SPDX-License-Identifier: Apache-2.0

import MeshModel
import NIOSSL

/// Whether certificates and keys are such that a TLS server can use them.
///
/// The library beneath is the one that Envoy has, so that what passes here is not refused there.
/// No error quotes what it is about.
enum CertificateCheck {
  /// Checks a chain and its key, and that the two belong together.
  ///
  /// - Returns: when each certificate is valid; nothing where the chain cannot be read.
  static func keyPair(
    _ chain: [UInt8], at chainPath: FieldPath, key: [UInt8], at keyPath: FieldPath,
    _ problems: Problems
  ) -> [Secret.Validity] {
    let certificates = read(chain, at: chainPath, problems)
    let privateKey: NIOSSLPrivateKey
    do { privateKey = try NIOSSLPrivateKey(bytes: key, format: .pem) } catch {
      problems.error(
        at: keyPath, "expected a private key in PEM without a passphrase, which this is not")
      return validities(of: certificates, at: chainPath)
    }
    if let leaf = certificates.first {
      let configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: [.certificate(leaf)], privateKey: .privateKey(privateKey))
      do { _ = try NIOSSLContext(configuration: configuration) } catch {
        problems.error(
          .conflict, at: keyPath,
          "is not the key of the first certificate in \(chainPath); "
            + "a chain begins with the server's own certificate")
      }
    }
    return validities(of: certificates, at: chainPath)
  }

  /// Checks certificates without a key.
  static func certificates(
    _ text: [UInt8], at path: FieldPath, _ problems: Problems
  ) -> [Secret.Validity] {
    validities(of: read(text, at: path, problems), at: path)
  }

  static func revocationList(_ text: [UInt8], at path: FieldPath, _ problems: Problems) {
    if !String(decoding: text, as: UTF8.self).contains("-----BEGIN X509 CRL-----") {
      problems.error(at: path, "expected a list of revoked certificates in PEM, which this is not")
    }
  }

  private static func read(
    _ text: [UInt8], at path: FieldPath, _ problems: Problems
  ) -> [NIOSSLCertificate] {
    do {
      let certificates = try NIOSSLCertificate.fromPEMBytes(text)
      if !certificates.isEmpty { return certificates }
    } catch {
      // Said below: the library's error has no more to tell.
    }
    problems.error(at: path, "expected certificates in PEM, which this is not")
    return []
  }

  private static func validities(
    of certificates: [NIOSSLCertificate], at path: FieldPath
  ) -> [Secret.Validity] {
    certificates.map { certificate in
      Secret.Validity(
        path: path, notBefore: Int64(certificate.notValidBefore),
        notAfter: Int64(certificate.notValidAfter))
    }
  }
}
