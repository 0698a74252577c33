// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension ClientTLS {
  private static let files = ["clientCertificate", "privateKey", "caCertificates", "caCrl"]
  private static let schema = Schema(
    fields: files + ["mode", "credentialName", "subjectAltNames", "sni", "insecureSkipVerify"])

  static func decode(_ node: Node, _ problems: Problems) -> ClientTLS? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    let mode = fields.optional("mode") { (node) throws(ConfigError) in
      try node.enumeration(Mode.self)
    }
    if fields.has("mode"), mode == nil { return nil }
    var tls = ClientTLS(mode: mode ?? .disable)
    tls.clientCertificate = fields.string("clientCertificate")
    tls.privateKey = fields.string("privateKey")
    tls.caCertificates = fields.string("caCertificates")
    tls.caCRL = fields.string("caCrl")
    tls.credentialName = fields.string("credentialName")
    tls.subjectAltNames = fields.strings("subjectAltNames")
    tls.sni = fields.string("sni")
    tls.insecureSkipVerify = fields.bool("insecureSkipVerify")
    tls.validate(fields)
    return tls
  }

  /// Which fields each mode needs and forbids, as Istio's admission has it.
  private func validate(_ fields: Fields) {
    let problems = fields.problems
    func forbid(_ names: [String], _ reason: String) {
      for name in names where fields.has(name) {
        problems.error(.conflict, at: fields.path[name], reason)
      }
    }
    switch mode {
    case .disable: break
    case .simple:
      forbid(["clientCertificate", "privateKey"], "is used only with mode MUTUAL")
    case .mutual where credentialName.isEmpty:
      for name in ["clientCertificate", "privateKey"] where fields.string(name).isEmpty {
        problems.error(
          .required, at: fields.path[name], "is required with mode MUTUAL without credentialName")
      }
    case .mutual: break
    case .istioMutual:
      forbid(
        Self.files + ["credentialName"], "may not be set with ISTIO_MUTUAL, which has its own")
    }
    if !credentialName.isEmpty {
      forbid(Self.files, "may not be set beside credentialName")
    }
    if insecureSkipVerify, mode == .simple || mode == .mutual {
      forbid(
        ["caCertificates", "subjectAltNames"],
        "has no effect with insecureSkipVerify, which verifies nothing")
    }
    if mode == .disable, fields.has("sni") || fields.has("subjectAltNames") {
      problems.warning(.invalid, at: fields.path["mode"], "is DISABLE, so there is no TLS")
    }
  }
}
