// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// How a gateway ends the encryption of a server's connections.
///
/// Certificates always come by SDS, those in files too: then Envoy watches the files, and one that is
/// missing does not take the listener along.
enum GatewayTLS {
  static func transportSocket(
    _ tls: Gateway.TLSSettings
  ) -> Envoy_Config_Core_V3_TransportSocket {
    Envoy_Config_Core_V3_TransportSocket.with {
      $0.name = "envoy.transport_sockets.tls"
      $0.typedConfig = context(tls).packed()
    }
  }

  private static func context(
    _ tls: Gateway.TLSSettings
  ) -> Envoy_Extensions_TransportSockets_Tls_V3_DownstreamTlsContext {
    var context = Envoy_Extensions_TransportSockets_Tls_V3_DownstreamTlsContext()
    context.requireClientCertificate = Google_Protobuf_BoolValue(
      tls.mode == .mutual || tls.mode == .istioMutual)
    // Istio offers these to every server, also where the bytes are not HTTP.
    context.commonTlsContext.alpnProtocols = ["h2", "http/1.1"]
    context.commonTlsContext.tlsCertificateSdsSecretConfigs =
      SecretName.certificates(of: tls).map { secret($0.resourceName) }
    if tls.mode.verifiesClients, let roots = SecretName.roots(of: tls) {
      var validation = Envoy_Extensions_TransportSockets_Tls_V3_CertificateValidationContext()
      validation.matchTypedSubjectAltNames = tls.subjectAltNames.flatMap(matchers)
      validation.verifyCertificateSpki = tls.certificateSPKIs
      validation.verifyCertificateHash = tls.certificateHashes
      context.commonTlsContext.combinedValidationContext.defaultValidationContext = validation
      context.commonTlsContext.combinedValidationContext.validationContextSdsSecretConfig =
        secret(roots.resourceName)
    }
    if let parameters = parameters(tls) { context.commonTlsContext.tlsParams = parameters }
    return context
  }

  private static func parameters(
    _ tls: Gateway.TLSSettings
  ) -> Envoy_Extensions_TransportSockets_Tls_V3_TlsParameters? {
    guard tls.minimumVersion != .auto || tls.maximumVersion != .auto || !tls.cipherSuites.isEmpty
    else { return nil }
    return Envoy_Extensions_TransportSockets_Tls_V3_TlsParameters.with {
      $0.tlsMinimumProtocolVersion = version(tls.minimumVersion)
      $0.tlsMaximumProtocolVersion = version(tls.maximumVersion)
      $0.cipherSuites = tls.cipherSuites
    }
  }

  private static func version(
    _ version: Gateway.TLSSettings.ProtocolVersion
  ) -> Envoy_Extensions_TransportSockets_Tls_V3_TlsParameters.TlsProtocol {
    switch version {
    case .auto: .tlsAuto
    case .v1_0: .tlsv10
    case .v1_1: .tlsv11
    case .v1_2: .tlsv12
    case .v1_3: .tlsv13
    }
  }

  private typealias NameMatcher = Envoy_Extensions_TransportSockets_Tls_V3_SubjectAltNameMatcher

  /// Istio compares the whole text with names of any kind.
  private static func matchers(_ name: String) -> [NameMatcher] {
    [NameMatcher.SanType.dns, .uri, .ipAddress, .email].map { kind in
      NameMatcher.with {
        $0.sanType = kind
        $0.matcher.exact = name
      }
    }
  }

  private static func secret(
    _ name: String
  ) -> Envoy_Extensions_TransportSockets_Tls_V3_SdsSecretConfig {
    Envoy_Extensions_TransportSockets_Tls_V3_SdsSecretConfig.with {
      $0.name = name
      // Unlike for routes, the wait has Envoy's limit of 15 s: a Secret that is missing must not
      // hold back the other servers of the port for ever.
      $0.sdsConfig.ads = Envoy_Config_Core_V3_AggregatedConfigSource()
      $0.sdsConfig.resourceApiVersion = .v3
    }
  }
}
