// SPDX-License-Identifier: Apache-2.0

import MeshModel
import XDS

/// One line of a script that does something.
enum Step {
  case publish([TypeURL: [EncodedResource]])
  case send(DiscoveryRequest)
  case report(EncodedResource, failure: String?)
  case status(TypeURL)
  case reconnect

  /// Reads a line; nil for a comment, an empty line and a response.
  init?(_ line: String, answers: [ADSScript.Answer]) throws(ConfigError) {
    let rest = String(line.dropFirst()).trimmingPrefix(while: \.isWhitespace)
    switch line.first {
    case nil, "#", "<": return nil
    case "!": self = .reconnect
    case "=": self = .publish(try Self.resources(String(rest)))
    case ">": self = .send(try Self.request(String(rest), answers: answers))
    case "~": self = try Self.report(String(rest))
    case "?": self = .status(try Self.typeURL(String(rest.split(separator: " ").first ?? "")))
    default:
      throw ConfigError(
        .invalid, reason: "expected a line with one of = > < ~ ? ! #, found \(line)")
    }
  }

  static func name(of typeURL: TypeURL) -> String { typeURL.shortName ?? typeURL.rawValue }

  private static func typeURL(_ name: String) throws(ConfigError) -> TypeURL {
    if let known = TypeURL.pushOrder.first(where: { $0.shortName == name }) { return known }
    guard name.contains("/") else {
      throw ConfigError(.invalid, reason: "expected CDS, EDS, … or a type URL, found \"\(name)\"")
    }
    return TypeURL(rawValue: name)
  }

  private static func resources(
    _ text: String
  ) throws(ConfigError) -> [TypeURL: [EncodedResource]] {
    var resources: [TypeURL: [EncodedResource]] = [:]
    for part in text.split(separator: ";") {
      let words = part.split(separator: " ").map(String.init)
      let typeURL = try typeURL(words.first ?? "")
      resources[typeURL] = words.dropFirst().filter { $0 != "-" }.map { word in
        let name = String(word.prefix { $0 != "@" })
        return EncodedResource(typeURL: typeURL, name: name, bytes: Array(word.utf8), origins: [])
      }
    }
    return resources
  }

  private static func report(_ text: String) throws(ConfigError) -> Self {
    let (text, failure) = splitError(text)
    let resources = try resources(text)
    guard resources.count == 1, let resource = resources.values.first?.first else {
      throw ConfigError(.invalid, reason: "expected one resource, found \"\(text)\"")
    }
    return .report(resource, failure: failure)
  }

  /// Takes `error="TEXT"` off the end of a line.
  private static func splitError(_ text: String) -> (String, error: String?) {
    guard let start = text.firstRange(of: "error=\"") else { return (text, nil) }
    return (String(text[..<start.lowerBound]), String(text[start.upperBound...].dropLast()))
  }

  private static func request(
    _ text: String, answers: [ADSScript.Answer]
  ) throws(ConfigError) -> DiscoveryRequest {
    let (text, errorDetail) = splitError(text)
    let words = text.split(separator: " ").map(String.init)
    var request = DiscoveryRequest(
      typeURL: try typeURL(words.first ?? ""), errorDetail: errorDetail)
    var version: String?
    for word in words.dropFirst() {
      if let answer = answer(labelled: word, of: answers) {
        request.responseNonce = answer.nonce
        request.versionInfo = answer.versionInfo
      } else if word.hasPrefix("nonce=") {
        request.responseNonce = Nonce(rawValue: String(word.dropFirst(6)))
      } else if word.hasPrefix("version=") {
        let label = String(word.dropFirst(8))
        version = answer(labelled: label, of: answers)?.versionInfo ?? label
      } else {
        request.resourceNames.append(word)
      }
    }
    request.versionInfo = version ?? request.versionInfo
    return request
  }

  private static func answer(
    labelled label: String, of answers: [ADSScript.Answer]
  ) -> ADSScript.Answer? {
    guard label.first == "n", let number = Int(label.dropFirst()), answers.indices ~= number - 1
    else { return nil }
    return answers[number - 1]
  }
}
