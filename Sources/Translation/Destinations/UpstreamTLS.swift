// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// The TLS of a DestinationRule in a cluster.
struct UpstreamTLS {
  private typealias Context = Envoy_Extensions_TransportSockets_Tls_V3_UpstreamTlsContext
  private typealias Validation =
    Envoy_Extensions_TransportSockets_Tls_V3_CertificateValidationContext

  private typealias NameMatcher =
    Envoy_Extensions_TransportSockets_Tls_V3_SubjectAltNameMatcher

  /// Where the rule says so, for problems.
  let settings: ClientTLS
  let proxy: ProxyClass
  /// Of the service, which count where the rule has none.
  let serviceNames: [String]
  private(set) var problems: [(path: FieldPath, code: ConfigError.Code, reason: String)] = []

  init(_ settings: ClientTLS, proxy: ProxyClass, service: Service) {
    self.settings = settings
    self.proxy = proxy
    serviceNames = service.subjectAltNames
  }

  mutating func apply(to draft: inout ClusterBuilder) {
    guard settings.mode != .disable else { return }
    guard settings.credentialName.isEmpty else {
      problems.append(
        (
          FieldPath("credentialName"), .unsupported,
          "secrets for connections to services are not served by this version; name files of the "
            + "proxy in clientCertificate, privateKey and caCertificates. Until then only the roots "
            + "of the proxy's system are trusted and no client certificate is shown"
        ))
      set(Context(), roots: "", &draft)
      return
    }
    var context = Context()
    switch settings.mode {
    case .disable, .simple: set(context, roots: settings.caCertificates, &draft)
    case .mutual:
      context.commonTlsContext.tlsCertificates = [
        Self.certificate(settings.clientCertificate, key: settings.privateKey)
      ]
      set(context, roots: settings.caCertificates, &draft)
    case .istioMutual:
      let files = ClientTLS.workloadCertificateMetadata.map { proxy.metadata[$0] ?? "" }
      if files.contains("") {
        problems.append(
          (
            FieldPath("mode"), .unsupported,
            "ISTIO_MUTUAL needs workload certificates, which this version does not issue: give the "
              + "proxy node metadata \(ClientTLS.workloadCertificateMetadata.joined(separator: ", ")) "
              + "with the paths of its own, or use MUTUAL. Until then connections to servers "
              + "without a publicly trusted certificate fail, rather than go in plain text"
          ))
        set(context, roots: "", &draft)
      } else {
        context.commonTlsContext.tlsCertificates = [Self.certificate(files[0], key: files[1])]
        set(context, roots: files[2], &draft)
      }
    }
  }

  /// The roots that Debian, Ubuntu and Alpine, and so the images of Envoy, keep in one file.
  private static let systemRoots = "/etc/ssl/certs/ca-certificates.crt"

  private func set(_ context: Context, roots: String, _ draft: inout ClusterBuilder) {
    var context = context
    context.sni = settings.sni
    let names = settings.subjectAltNames.isEmpty ? serviceNames : settings.subjectAltNames
    if !settings.insecureSkipVerify {
      var validation = Validation()
      validation.trustedCa.filename = roots.isEmpty || roots == "system" ? Self.systemRoots : roots
      if !settings.caCRL.isEmpty { validation.crl.filename = settings.caCRL }
      validation.matchTypedSubjectAltNames = names.flatMap(Self.matchers)
      context.commonTlsContext.validationContext = validation
    }
    if settings.sni.isEmpty {
      // The name that is asked for is shown, and is what the certificate must be for.
      let verifies = names.isEmpty && !settings.insecureSkipVerify
      draft.setHTTP {
        $0.upstreamHTTPProtocolOptions.autoSni = true
        $0.upstreamHTTPProtocolOptions.autoSanValidation = verifies
      }
    }
    if draft.isHTTP2 { context.commonTlsContext.alpnProtocols = ["h2"] }
    if settings.mode == .istioMutual {
      // Tells a sidecar in front of the endpoint that the peer is of the mesh.
      context.commonTlsContext.alpnProtocols =
        ["istio-peer-exchange", "istio"] + (draft.isHTTP2 ? ["h2"] : [])
    }
    draft.message.transportSocket.name = "envoy.transport_sockets.tls"
    draft.message.transportSocket.typedConfig = context.packed()
  }

  private static func certificate(
    _ chain: String, key: String
  ) -> Envoy_Extensions_TransportSockets_Tls_V3_TlsCertificate {
    .with {
      $0.certificateChain.filename = chain
      $0.privateKey.filename = key
    }
  }

  /// Istio compares the whole text with names of each of these kinds.
  private static func matchers(
    _ name: String
  ) -> [NameMatcher] {
    [NameMatcher.SanType.dns, .uri, .ipAddress].map { kind in
      NameMatcher.with {
        $0.sanType = kind
        $0.matcher.exact = name
      }
    }
  }
}
