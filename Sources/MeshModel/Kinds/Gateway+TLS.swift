// SPDX-License-Identifier: Apache-2.0

extension Gateway {
  /// Istio's ServerTLSSettings: what a server does with encrypted connections.
  package struct TLSSettings: Hashable, Sendable {
    package enum Mode: String, Hashable, Sendable, CaseIterable {
      /// Forwards the encrypted bytes, chosen by SNI.
      case passthrough = "PASSTHROUGH"
      case simple = "SIMPLE"
      /// The client must show a certificate.
      case mutual = "MUTUAL"
      /// Forwards to the service that the SNI itself names, between clusters of a mesh.
      case autoPassthrough = "AUTO_PASSTHROUGH"
      /// MUTUAL with the workload's own certificate of the mesh.
      case istioMutual = "ISTIO_MUTUAL"
      /// The client may show a certificate; a wrong one is refused.
      case optionalMutual = "OPTIONAL_MUTUAL"

      /// Whether the gateway ends the encryption.
      package var terminates: Bool { self != .passthrough && self != .autoPassthrough }
      /// Whether certificates of clients are looked at.
      package var verifiesClients: Bool {
        self == .mutual || self == .optionalMutual || self == .istioMutual
      }
    }

    package enum ProtocolVersion: String, Hashable, Sendable, CaseIterable {
      case auto = "TLS_AUTO"
      case v1_0 = "TLSV1_0"
      case v1_1 = "TLSV1_1"
      case v1_2 = "TLSV1_2"
      case v1_3 = "TLSV1_3"
    }

    /// A certificate chain and its key, by their paths at the proxy.
    package struct FilePair: Hashable, Sendable {
      package var certificate: String
      package var privateKey: String
      package init(certificate: String, privateKey: String) {
        self.certificate = certificate
        self.privateKey = privateKey
      }
    }

    /// Where the server's own certificates come from.
    package enum Certificates: Hashable, Sendable {
      case none
      /// Names of Secrets in the namespace of the gateway workload, as written.
      case credentials([String])
      case files([FilePair])
    }

    /// Answer plain HTTP with a redirect to HTTPS.
    package var httpsRedirect = false
    package var mode = Mode.passthrough
    package var certificates = Certificates.none
    /// The roots that clients are verified by, as a path at the proxy; empty where unset.
    package var caCertificates = ""
    package var caCRL = ""
    /// A Secret with the roots alone; empty stands for that of the first credential.
    package var caCredential = ""
    /// Names that a client's certificate must have one of; empty accepts all.
    package var subjectAltNames: [String] = []
    package var certificateSPKIs: [String] = []
    package var certificateHashes: [String] = []
    package var minimumVersion = ProtocolVersion.auto
    package var maximumVersion = ProtocolVersion.auto
    package var cipherSuites: [String] = []

    package init() {}

    /// Node metadata with the paths of a workload's own certificate, its key and the mesh's roots,
    /// which ISTIO_MUTUAL takes.
    package static let workloadCertificateMetadata = [
      "TLS_SERVER_CERT_CHAIN", "TLS_SERVER_KEY", "TLS_SERVER_ROOT_CERT",
    ]
  }
}
