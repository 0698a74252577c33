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
  /// By the names of the Secrets of the proxy's namespace, which SDS serves to gateways.
  let credentials: [String: Credential]
  private(set) var problems: [(path: FieldPath, code: ConfigError.Code, reason: String)] = []

  init(
    _ settings: ClientTLS, _ proxy: ProxyClass, _ credentials: [String: Credential],
    serviceNames: [String]
  ) {
    self.settings = settings
    self.proxy = proxy
    self.credentials = credentials
    self.serviceNames = serviceNames
  }

  mutating func apply(to draft: inout ClusterBuilder) {
    guard settings.mode != .disable else { return }
    guard settings.credentialName.isEmpty else { return applyCredential(to: &draft) }
    var context = Context()
    switch settings.mode {
    case .disable, .simple: set(context, roots: .file(settings.caCertificates), &draft)
    case .mutual:
      context.commonTlsContext.tlsCertificates = [
        Self.certificate(settings.clientCertificate, key: settings.privateKey)
      ]
      set(context, roots: .file(settings.caCertificates), &draft)
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
        set(context, roots: .file(""), &draft)
      } else {
        context.commonTlsContext.tlsCertificates = [Self.certificate(files[0], key: files[1])]
        set(context, roots: .file(files[2]), &draft)
      }
    }
  }

  private enum Roots {
    /// Empty or `system` for those of the proxy's system.
    case file(String)
    case secret(SecretName)
  }

  /// Certificates and roots from a Secret, which gateways get by SDS.
  ///
  /// What is missing is reported, and then only public servers are trusted.
  private mutating func applyCredential(to draft: inout ClusterBuilder) {
    let scheme = "kubernetes://"
    let name = String(
      settings.credentialName.hasPrefix(scheme)
        ? settings.credentialName.dropFirst(scheme.count) : settings.credentialName[...])
    var context = Context()
    guard proxy.role == .router else {
      report(
        .unsupported,
        "sidecars get no Secrets: name files of the proxy in clientCertificate, privateKey and "
          + "caCertificates; until then only servers that the public trusts are called")
      return set(context, roots: .file(""), &draft)
    }
    if settings.mode == .mutual {
      if credentials[name]?.hasKeyPair ?? false {
        context.commonTlsContext.tlsCertificateSdsSecretConfigs = [
          Self.source(of: .certificate(credential: name))
        ]
      } else {
        report(
          .notFound,
          "there is no Secret \(proxy.namespace)/\(name) with tls.crt and tls.key in the namespace of "
            + "the gateway; no certificate is shown")
      }
    }
    let rootsName = name + SecretName.rootsSuffix
    guard [name, rootsName].contains(where: { credentials[$0]?.hasRoots ?? false }) else {
      if !settings.insecureSkipVerify {
        report(
          .notFound,
          "there is no ca.crt in Secret \(proxy.namespace)/\(name) or \(rootsName); only servers "
            + "that the public trusts are called")
      }
      return set(context, roots: .file(""), &draft)
    }
    set(context, roots: .secret(.roots(credential: name)), &draft)
  }

  private mutating func report(_ code: ConfigError.Code, _ reason: String) {
    problems.append((FieldPath("credentialName"), code, reason))
  }

  private static func source(
    of secret: SecretName
  ) -> Envoy_Extensions_TransportSockets_Tls_V3_SdsSecretConfig {
    .with {
      $0.name = secret.resourceName
      $0.sdsConfig.ads = Envoy_Config_Core_V3_AggregatedConfigSource()
      $0.sdsConfig.resourceApiVersion = .v3
    }
  }

  /// The roots that Debian, Ubuntu and Alpine, and so the images of Envoy, keep in one file.
  private static let systemRoots = "/etc/ssl/certs/ca-certificates.crt"

  private func set(_ context: Context, roots: Roots, _ draft: inout ClusterBuilder) {
    var context = context
    context.sni = settings.sni
    let names = settings.subjectAltNames.isEmpty ? serviceNames : settings.subjectAltNames
    if !settings.insecureSkipVerify {
      var validation = Validation()
      validation.matchTypedSubjectAltNames = names.flatMap(Self.matchers)
      switch roots {
      case .file(let path):
        validation.trustedCa.filename = path.isEmpty || path == "system" ? Self.systemRoots : path
        if !settings.caCRL.isEmpty { validation.crl.filename = settings.caCRL }
        context.commonTlsContext.validationContext = validation
      case .secret(let name):
        context.commonTlsContext.combinedValidationContext.defaultValidationContext = validation
        context.commonTlsContext.combinedValidationContext.validationContextSdsSecretConfig =
          Self.source(of: name)
      }
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
