// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import JSON
import Manifests
import NIOCore

extension APIServer {
  /// How long a body may take to arrive.
  private static let bodyPatience = Duration.seconds(30)

  /// The body of a request that must have one: an object in JSON or YAML.
  func body(_ request: Request) async throws -> JSONValue {
    let type = Self.mediaType(request)
    switch type {
    case "", "application/json": return try Self.json(try await bytes(request))
    case "application/yaml": return try Self.yaml(try await bytes(request))
    case KubernetesProtobuf.mediaType:
      return try KubernetesProtobuf.object(try await bytes(request))
    default:
      throw APIStatus.unsupportedMediaType(
        ["application/json", "application/yaml", KubernetesProtobuf.mediaType])
    }
  }

  /// The body of a deletion: options, or nothing.
  func optionalBody(_ request: Request) async throws -> JSONValue {
    let bytes = try await self.bytes(request)
    if bytes.isEmpty { return [:] }
    let isProtobuf = Self.mediaType(request) == KubernetesProtobuf.mediaType
    return isProtobuf ? try KubernetesProtobuf.object(bytes) : try Self.json(bytes)
  }

  /// The body of a PATCH, in one of its four forms.
  func patch(_ request: Request, _ target: Target) async throws -> Patch {
    let type = Self.mediaType(request)
    let known = [
      "application/json-patch+json", "application/merge-patch+json",
      "application/strategic-merge-patch+json", "application/apply-patch+yaml",
    ]
    guard known.contains(type) else { throw APIStatus.unsupportedMediaType(known) }
    let bytes = try await self.bytes(request)
    switch type {
    case "application/json-patch+json": return .json(try JSONPatch(try Self.json(bytes)))
    case "application/apply-patch+yaml": return .apply(try Self.yaml(bytes))
    case "application/strategic-merge-patch+json":
      return .strategic(try Self.object(try Self.json(bytes)))
    default: return .merge(try Self.object(try Self.json(bytes)))
    }
  }

  private static func mediaType(_ request: Request) -> String {
    let header = request.headers[.contentType] ?? ""
    return header.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
  }

  private static func object(_ json: JSONValue) throws(APIStatus) -> JSONValue {
    guard json.objectMembers != nil else {
      throw .badRequest("a merge patch is an object, found \(json.kind)")
    }
    return json
  }

  private static func json(_ bytes: [UInt8]) throws(APIStatus) -> JSONValue {
    do throws(JSONSyntaxError) { return try JSONValue(parsing: bytes) } catch {
      throw .badRequest("the object provided is unrecognized: \(error)")
    }
  }

  private static func yaml(_ bytes: [UInt8]) throws(APIStatus) -> JSONValue {
    // JSON is most of what comes, and cheaper to read.
    if bytes.first == UInt8(ascii: "{") { return try json(bytes) }
    var limits = ManifestLimits()
    limits.values = 100_000
    let stream = YAMLParser(limits: limits).parse(bytes, file: "the body")
    if let problem = stream.problems.first {
      throw .badRequest("the object provided is unrecognized: \(problem)")
    }
    guard let document = stream.documents.first, stream.documents.count == 1 else {
      throw .badRequest("expected one object, found \(stream.documents.count)")
    }
    return document.json
  }

  /// All bytes, within the limits of size and time.
  private func bytes(_ request: Request) async throws -> [UInt8] {
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > Self.bodyLimit {
      throw APIStatus.tooLarge(limit: Self.bodyLimit)
    }
    return try await withThrowingTaskGroup(of: [UInt8].self) { [clock] group in
      group.addTask {
        var bytes: [UInt8] = []
        for try await part in request.body {
          guard bytes.count + part.readableBytes <= Self.bodyLimit else {
            throw APIStatus.tooLarge(limit: Self.bodyLimit)
          }
          bytes += part.readableBytesView
        }
        return bytes
      }
      group.addTask {
        try await clock.sleep(for: Self.bodyPatience, tolerance: nil)
        throw APIStatus.requestTimeout
      }
      defer { group.cancelAll() }
      return try await group.next() ?? []
    }
  }
}
