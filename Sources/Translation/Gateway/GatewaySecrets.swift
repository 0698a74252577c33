// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Foundation
import MeshModel
import SwiftProtobuf

/// SDS of a gateway: the Secrets of its own namespace, and the files that its Gateways name.
///
/// As in Istio, a credential is looked for in the namespace of the workload, wherever the Gateway is;
/// sidecars get none.
struct GatewaySecrets {
  private(set) var resources: [EncodedResource] = []
  private(set) var problems: [ConfigError] = []
  private var names: Set<String> = []
  private let scope: ProxyScope
  private let secrets: [String: Secret]

  init(_ scope: ProxyScope, _ ports: [GatewayPort]) {
    self.scope = scope
    secrets = scope.mesh.secrets[scope.proxy.namespace] ?? [:]
    for secret in secrets.values.sorted(by: { $0.meta.name < $1.meta.name }) { add(secret) }
    for port in ports {
      for server in port.servers {
        guard let tls = server.server.tls, tls.mode.terminates else { continue }
        for name in SecretName.certificates(of: tls) { use(name, by: server) }
        if let roots = SecretName.roots(of: tls) { use(roots, by: server) }
      }
    }
  }

  /// Roots stand under the name of their Secret where it ends in `-cacert`, else under one that does;
  /// where both are there, the Secret of its own counts.
  private mutating func add(_ secret: Secret) {
    let name = secret.meta.name
    let isForRoots = name.hasSuffix(SecretName.rootsSuffix)
    if let pair = secret.keyPair, !isForRoots {
      add(SecretName.certificate(credential: name).resourceName, from: secret.origin) {
        $0.tlsCertificate.certificateChain.inlineBytes = Data(pair.certificateChain)
        $0.tlsCertificate.privateKey.inlineBytes = Data(pair.privateKey.exposed)
        if !pair.ocspStaple.isEmpty {
          $0.tlsCertificate.ocspStaple.inlineBytes = Data(pair.ocspStaple)
        }
      }
    }
    guard let roots = secret.caCertificates else { return }
    var resourceNames = isForRoots ? ["kubernetes://\(name)"] : []
    if secrets[name + SecretName.rootsSuffix]?.caCertificates == nil {
      resourceNames.append(SecretName.roots(credential: name).resourceName)
    }
    for resourceName in resourceNames {
      add(resourceName, from: secret.origin) {
        $0.validationContext.trustedCa.inlineBytes = Data(roots)
        if !secret.revocationList.isEmpty {
          $0.validationContext.crl.inlineBytes = Data(secret.revocationList)
        }
      }
    }
  }

  private mutating func use(_ name: SecretName, by server: GatewayPort.Server) {
    let path = server.server.path["tls"]
    switch name {
    case .certificate(let credential):
      guard !names.contains(name.resourceName) else { return }
      let field =
        if case .credentials(let all)? = server.server.tls?.certificates, all.count > 1 {
          "credentialNames"
        } else {
          "credentialName"
        }
      missing(credential, "tls.crt and tls.key (or cert and key)", server, path[field])
    case .roots(let credential):
      guard !names.contains(name.resourceName) else { return }
      let isOwn = server.server.tls?.caCredential.isEmpty ?? true
      missing(
        credential, "ca.crt (or cacert)", server,
        path[isOwn ? "credentialName" : "caCertCredentialName"])
    case .certificateFiles(let pair):
      add(name.resourceName, from: server.origin) {
        $0.tlsCertificate.certificateChain.filename = pair.certificate
        $0.tlsCertificate.privateKey.filename = pair.privateKey
      }
    case .rootsFile(let file, let revocationList):
      add(name.resourceName, from: server.origin) {
        $0.validationContext.trustedCa.filename = file
        if !revocationList.isEmpty { $0.validationContext.crl.filename = revocationList }
      }
    }
  }

  private mutating func missing(
    _ credential: String, _ entries: String, _ server: GatewayPort.Server, _ path: FieldPath
  ) {
    let namespace = scope.proxy.namespace
    let reason: String
    if secrets[credential] != nil {
      reason = "the Secret \(namespace)/\(credential) has no \(entries)"
    } else if scope.mesh.secrets[server.gateway.meta.namespace]?[credential] != nil {
      reason =
        "the Secret \(credential) is in namespace \(server.gateway.meta.namespace), but is looked "
        + "for in \(namespace), the namespace of the gateway workload; move it there"
    } else {
      reason = "there is no Secret \(namespace)/\(credential)"
    }
    problems.append(
      ConfigError(
        .notFound, object: server.gateway.ref, at: path,
        reason: "\(reason); connections to the server fail until it is there"))
  }

  private mutating func add(
    _ name: String, from origin: Origin,
    _ fill: (inout Envoy_Extensions_TransportSockets_Tls_V3_Secret) -> Void
  ) {
    guard names.insert(name).inserted else { return }
    var message = Envoy_Extensions_TransportSockets_Tls_V3_Secret()
    message.name = name
    fill(&message)
    resources.append(
      EncodedResource(
        typeURL: .secret, name: name, bytes: message.deterministicBytes(), origins: [origin]))
  }
}
