// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// What an SDS resource holds, and its name, which is Istio's.
enum SecretName: Hashable {
  /// A certificate with its key from a Secret of the proxy's namespace.
  case certificate(credential: String)
  /// Roots from a Secret of the proxy's namespace, by the name that the certificate's Secret has.
  case roots(credential: String)
  case certificateFiles(Gateway.TLSSettings.FilePair)
  /// The revocation list may be empty.
  case rootsFile(String, revocationList: String)

  /// Ends the names of roots, and of Secrets that hold nothing else.
  static let rootsSuffix = "-cacert"

  var resourceName: String {
    switch self {
    case .certificate(let credential): "kubernetes://\(credential)"
    case .roots(let credential): "kubernetes://\(credential)\(Self.rootsSuffix)"
    case .certificateFiles(let pair): "file-cert:\(pair.certificate)~\(pair.privateKey)"
    case .rootsFile(let path, let list) where list.isEmpty: "file-root:\(path)"
    case .rootsFile(let path, let list): "file-root:\(path)~\(list)"
    }
  }

  static func certificates(of tls: Gateway.TLSSettings) -> [Self] {
    switch tls.certificates {
    case .none: []
    case .credentials(let names): names.map { .certificate(credential: bare($0)) }
    case .files(let pairs): pairs.map(Self.certificateFiles)
    }
  }

  /// Nil where clients are not verified.
  static func roots(of tls: Gateway.TLSSettings) -> Self? {
    guard tls.mode.verifiesClients else { return nil }
    if !tls.caCredential.isEmpty { return .roots(credential: bare(tls.caCredential)) }
    switch tls.certificates {
    case .credentials(let names): return names.first.map { .roots(credential: bare($0)) }
    case .none, .files: break
    }
    return tls.caCertificates.isEmpty
      ? nil : .rootsFile(tls.caCertificates, revocationList: tls.caCRL)
  }

  private static func bare(_ credential: String) -> String {
    let scheme = "kubernetes://"
    return credential.hasPrefix(scheme) ? String(credential.dropFirst(scheme.count)) : credential
  }
}
