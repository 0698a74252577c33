// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension Gateway.TLSSettings {
  private static let schema = Schema(fields: [
    "httpsRedirect", "mode", "serverCertificate", "privateKey", "caCertificates", "caCrl",
    "credentialName", "credentialNames", "caCertCredentialName", "tlsCertificates",
    "subjectAltNames", "verifyCertificateSpki", "verifyCertificateHash", "minProtocolVersion",
    "maxProtocolVersion", "cipherSuites",
  ])
  private static let pairSchema = Schema(
    fields: ["serverCertificate", "privateKey", "caCertificates"])
  /// Fields that say how a connection is decrypted and its client verified.
  private static let terminating = [
    "serverCertificate", "privateKey", "caCertificates", "caCrl", "credentialName",
    "credentialNames", "caCertCredentialName", "tlsCertificates",
  ]
  private static let verifying = [
    "caCertificates", "caCrl", "caCertCredentialName", "subjectAltNames", "verifyCertificateSpki",
    "verifyCertificateHash",
  ]

  /// Reads `tls` of a server.
  static func decode(
    _ node: Node, of portProtocol: Gateway.PortProtocol, _ problems: Problems
  ) -> Self? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    var tls = Self()
    tls.httpsRedirect = fields.bool("httpsRedirect")
    tls.mode =
      fields.optional("mode") { (node) throws(ConfigError) in
        try node.enumeration(Mode.self)
      } ?? .passthrough
    let certificates = terminating.filter(fields.has)
    guard portProtocol.isTLS else {
      if tls.mode.terminates || tls.mode == .autoPassthrough || !certificates.isEmpty {
        let path = fields["mode"]?.path ?? fields.path[certificates.first ?? "mode"]
        problems.error(
          at: path, "\(portProtocol.rawValue) has no TLS; use HTTPS or TLS, or drop this")
      } else if !portProtocol.isPlainHTTP {
        problems.error(
          at: fields.path, "\(portProtocol.rawValue) has no TLS; use TLS as the protocol")
      }
      return tls
    }
    if tls.httpsRedirect {
      problems.warning(
        .invalid, at: fields.path["httpsRedirect"],
        "has no effect on \(portProtocol.rawValue), which is encrypted already")
    }
    guard tls.mode.terminates else {
      for name in certificates {
        problems.warning(
          .invalid, at: fields.path[name],
          "has no effect with \(tls.mode.rawValue), which does not decrypt")
      }
      return tls
    }
    tls.readCertificates(fields)
    tls.readVerification(fields)
    tls.readParameters(fields)
    return tls
  }

  private mutating func readCertificates(_ fields: Fields) {
    let problems = fields.problems
    let given = [
      "serverCertificate", "credentialName", "credentialNames", "tlsCertificates",
    ].filter(fields.isFilled)
    guard mode != .istioMutual else {
      for name in Self.terminating where fields.has(name) {
        problems.error(
          .conflict, at: fields.path[name],
          "may not be set with ISTIO_MUTUAL, which takes the workload's own certificate")
      }
      return
    }
    guard given.count == 1, let name = given.first else {
      problems.error(
        given.isEmpty ? .required : .conflict, at: fields.path,
        "\(mode.rawValue) needs exactly one of credentialName, credentialNames, serverCertificate, "
          + "tlsCertificates, found "
          + (given.isEmpty ? "none" : given.joined(separator: ", ")))
      return
    }
    switch name {
    case "credentialName", "credentialNames":
      let names =
        name == "credentialName" ? [fields.string(name)] : fields.strings(name)
      if names.count > 2 {
        problems.error(at: fields.path[name], "expected at most 2 names, found \(names.count)")
      }
      for credential in names { check(credential, at: fields.path[name], problems) }
      certificates = .credentials(names)
    case "serverCertificate":
      let pair = FilePair(
        certificate: fields.string(name), privateKey: fields.string("privateKey"))
      if pair.privateKey.isEmpty {
        problems.error(.required, at: fields.path["privateKey"], "is required")
      }
      certificates = .files([pair])
    default:
      let pairs = fields.each(name) { node -> FilePair? in
        guard let pair = Fields(node, Self.pairSchema, problems) else { return nil }
        for field in ["serverCertificate", "privateKey"] where pair.string(field).isEmpty {
          problems.error(.required, at: pair.path[field], "is required")
        }
        if caCertificates.isEmpty { caCertificates = pair.string("caCertificates") }
        return FilePair(
          certificate: pair.string("serverCertificate"), privateKey: pair.string("privateKey"))
      }
      if pairs.count > 2 {
        problems.error(at: fields.path[name], "expected at most 2 pairs, found \(pairs.count)")
      }
      certificates = .files(pairs)
    }
  }

  /// Names with a scheme are those of other sources of secrets.
  private func check(_ credential: String, at path: FieldPath, _ problems: Problems) {
    let name =
      credential.hasPrefix("kubernetes://")
      ? String(credential.dropFirst("kubernetes://".count)) : credential
    if let fault = DNSName.subdomainFault(name) {
      problems.error(
        at: path,
        "expected the name of a Secret in the namespace of the gateway workload; "
          + "\"\(name)\" \(fault)")
    }
  }

  private mutating func readVerification(_ fields: Fields) {
    let problems = fields.problems
    guard mode.verifiesClients else {
      for name in Self.verifying where fields.has(name) {
        problems.warning(
          .invalid, at: fields.path[name],
          "has no effect with SIMPLE, which asks for no certificate; use MUTUAL or OPTIONAL_MUTUAL")
      }
      caCertificates = ""
      return
    }
    if !fields.string("caCertificates").isEmpty {
      caCertificates = fields.string("caCertificates")
    }
    caCRL = fields.string("caCrl")
    caCredential = fields.string("caCertCredentialName")
    if !caCredential.isEmpty {
      check(caCredential, at: fields.path["caCertCredentialName"], problems)
    }
    switch certificates {
    case .files where caCertificates.isEmpty && mode != .istioMutual:
      problems.error(
        .required, at: fields.path["caCertificates"],
        "is required with \(mode.rawValue), to verify clients by")
    case .credentials where !caCRL.isEmpty:
      problems.warning(
        .unsupported, at: fields.path["caCrl"],
        "has no effect with credentials; put the list into the Secret as ca.crl")
    default: break
    }
    subjectAltNames = fields.strings("subjectAltNames")
    certificateSPKIs = fields.strings("verifyCertificateSpki")
    if certificateSPKIs.contains(where: { Base64.decode($0)?.count != 32 || $0.utf8.count != 44 }) {
      problems.error(
        at: fields.path["verifyCertificateSpki"], "expected SHA-256 digests in base64")
    }
    certificateHashes = fields.strings("verifyCertificateHash")
    if certificateHashes.contains(where: { !Self.isDigest($0) }) {
      problems.error(
        at: fields.path["verifyCertificateHash"],
        "expected SHA-256 digests as 64 hexadecimal digits, with or without colons between bytes")
    }
  }

  private static func isDigest(_ text: String) -> Bool {
    let isColoned = text.utf8.count == 95
    let digits = isColoned ? text.split(separator: ":").joined() : text
    return digits.utf8.count == 64 && digits.allSatisfy(\.isHexDigit)
      && (!isColoned || text.split(separator: ":").allSatisfy { $0.utf8.count == 2 })
  }

  private mutating func readParameters(_ fields: Fields) {
    let problems = fields.problems
    func version(_ name: String) -> ProtocolVersion {
      fields.optional(name) { (node) throws(ConfigError) in
        try node.enumeration(ProtocolVersion.self)
      } ?? .auto
    }
    minimumVersion = version("minProtocolVersion")
    maximumVersion = version("maxProtocolVersion")
    let order = ProtocolVersion.allCases
    if let low = order.firstIndex(of: minimumVersion),
      let high = order.firstIndex(of: maximumVersion), maximumVersion != .auto, low > high
    {
      problems.error(
        .conflict, at: fields.path["maxProtocolVersion"],
        "is below minProtocolVersion \(minimumVersion.rawValue)")
    }
    if minimumVersion == .v1_0 || minimumVersion == .v1_1 {
      problems.warning(
        .invalid, at: fields.path["minProtocolVersion"],
        "versions below TLSV1_2 are not safe, and need cipherSuites that they have")
    }
    var seen: Set<String> = []
    let suites = fields.strings("cipherSuites")
    for (index, suite) in suites.enumerated() {
      let path = fields.path["cipherSuites"][index]
      if !Self.knownSuites.contains(suite) {
        problems.warning(
          .invalid, at: path,
          "unknown cipher suite \"\(suite)\", which is left out"
            + NearestName.hint(for: suite, among: Self.knownSuites))
      } else if !seen.insert(suite).inserted {
        problems.warning(.conflict, at: path, "\(suite) is already listed")
      } else {
        cipherSuites.append(suite)
      }
    }
    if cipherSuites.isEmpty, !suites.isEmpty {
      problems.error(at: fields.path["cipherSuites"], "expected at least one known cipher suite")
    }
  }

  /// The names of BoringSSL for the suites of TLS up to 1.2, which are all that can be chosen.
  private static let knownSuites = [
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA",
    "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA", "DES-CBC3-SHA",
  ]
}
