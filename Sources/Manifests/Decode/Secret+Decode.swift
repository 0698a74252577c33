// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

extension Secret {
  private static let schema = Schema(
    fields: ["apiVersion", "kind", "metadata", "type", "data", "stringData"],
    ignored: ["immutable", "status"])
  private static let tlsType = "kubernetes.io/tls"

  /// The names of the entries that count, Istio's older ones first, which win there too.
  private static let keyPairs = [("cert", "key"), ("tls.crt", "tls.key")]
  private static let authorities = [("cacert", "crl"), ("ca.crt", "ca.crl")]
  private static let logins = ".dockerconfigjson"
  private static let dockerConfigType = "kubernetes.io/dockerconfigjson"
  private static let staple = "tls.ocsp-staple"

  /// An entry of `data` or `stringData`.
  private struct Entry {
    var path: FieldPath
    var bytes: [UInt8]
  }

  /// Reads a Secret (https://kubernetes.io/docs/concepts/configuration/secret/); what is wrong with
  /// it is said without a word of its content.
  static func decode(_ root: Node, _ meta: ObjectMeta, _ problems: Problems) -> Secret? {
    guard let fields = Fields(root, schema, problems) else { return nil }
    // The API server keeps text as data, where it wins over what stands there.
    var entries = self.entries("data", fields, decoded: true)
    entries.merge(self.entries("stringData", fields, decoded: false)) { $1 }

    var secret = Secret(meta: meta)
    let isTLS = fields.string("type") == tlsType
    if isTLS {
      for name in ["tls.crt", "tls.key"] where entries[name]?.bytes.isEmpty ?? true {
        // What could not be decoded has its own error.
        if entries[name] != nil || !fields.mentions(name) {
          problems.error(
            .required, at: entries[name]?.path ?? FieldPath("data")[name],
            "is required for the type \(tlsType), and may not be empty")
        }
      }
    }
    secret.dockerConfig = registryLogins(entries[logins], fields)
    func filled(_ name: String) -> Entry? {
      entries[name].flatMap { $0.bytes.isEmpty ? nil : $0 }
    }
    for (certificate, key) in keyPairs where secret.keyPair == nil {
      guard let certificate = filled(certificate), let key = filled(key) else { continue }
      secret.validities += CertificateCheck.keyPair(
        certificate.bytes, at: certificate.path, key: key.bytes, at: key.path, problems)
      secret.keyPair = KeyPair(
        certificateChain: certificate.bytes, privateKey: SensitiveBytes(key.bytes),
        ocspStaple: entries[staple]?.bytes ?? [])
    }
    for (roots, list) in authorities where secret.caCertificates == nil {
      guard let roots = filled(roots) else { continue }
      secret.validities += CertificateCheck.certificates(roots.bytes, at: roots.path, problems)
      secret.caCertificates = roots.bytes
      guard let list = filled(list) else { continue }
      CertificateCheck.revocationList(list.bytes, at: list.path, problems)
      secret.revocationList = list.bytes
    }
    return secret
  }

  /// The logins of an image pull secret, which must be an object in JSON.
  private static func registryLogins(_ entry: Entry?, _ fields: Fields) -> SensitiveBytes? {
    guard let entry else {
      if fields.string("type") == dockerConfigType, !fields.mentions(logins) {
        fields.problems.error(
          .required, at: FieldPath("data")[logins],
          "is required for the type \(dockerConfigType)")
      }
      return nil
    }
    guard let json = try? JSONValue(parsing: entry.bytes), json["auths"]?.objectMembers != nil
    else {
      fields.problems.error(at: entry.path, "expected JSON with an object auths")
      return nil
    }
    return SensitiveBytes(entry.bytes)
  }

  /// The entries that count.
  ///
  /// A value of the wrong form is named by its path alone: the errors that nodes make would quote it.
  private static func entries(
    _ field: String, _ fields: Fields, decoded isBase64: Bool
  ) -> [String: Entry] {
    guard let node = fields[field] else { return [:] }
    guard case .object(let members) = node.value.content else {
      fields.problems.error(at: node.path, "expected an object")
      return [:]
    }
    let known = Set((keyPairs + authorities).flatMap { [$0, $1] } + [staple, logins])
    var entries: [String: Entry] = [:]
    for member in members where known.contains(member.key) {
      let path = node.path[member.key]
      switch member.value.content {
      case .null: continue
      case .string(let text):
        let bytes =
          isBase64 ? Base64.decode(text.filter { !$0.isWhitespace }) : Array(text.utf8)
        guard let bytes else {
          fields.problems.error(
            at: path, "expected base64; text as it is goes into stringData")
          continue
        }
        entries[member.key] = Entry(path: path, bytes: bytes)
      default: fields.problems.error(at: path, "expected a string")
      }
    }
    return entries
  }
}

extension Fields {
  /// Whether an entry of a Secret is written at all.
  fileprivate func mentions(_ entry: String) -> Bool {
    self["data"]?[entry] != nil || self["stringData"]?[entry] != nil
  }
}
