// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Flags
import JSON
import KubeClient
import Manifests

/// `skiffctl apply`: makes the objects of files what they are in the files.
struct Apply: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Apply manifests to a running skiffd.",
    discussion: """
      Server-side apply: the fields in the files belong to skiffctl from then on. An object that is \
      refused does not stop the others. Exits with 1 where one was refused, and with --wait where \
      one was rejected by a proxy or the time is over.
      """)

  @Option(
    name: [.short, .customLong("filename")], help: "A file, a directory, or - for standard input.")
  var filenames: [String]

  @Option(name: .shortAndLong, help: "The namespace of objects that do not say theirs.")
  var namespace: String?

  @OptionGroup var server: ServerOptions

  @Option(help: "server: only say what would happen.")
  var dryRun = DryRun.none

  @Option(help: "Who owns the fields that are applied.")
  var fieldManager = "skiffctl"

  @Flag(help: "Take over fields that belong to others.")
  var forceConflicts = false

  @Option(name: .customLong("validate"), help: "strict, warn or ignore: about unknown fields.")
  var fieldValidation = FieldValidation.strict

  @Flag(help: "Wait until all proxies run what was applied, and show how far they are.")
  var wait = false

  @Option(help: "How long --wait waits.")
  var timeout = FlagDuration(.seconds(60))

  enum FieldValidation: String, CaseIterable, ExpressibleByArgument {
    case strict, warn, ignore

    /// As the API spells it.
    var parameter: String {
      switch self {
      case .strict: "Strict"
      case .warn: "Warn"
      case .ignore: "Ignore"
      }
    }
  }

  func run() async throws {
    let (objects, problems) = ManifestReader().written(paths: filenames)
    for problem in problems { printError("error: \(problem)") }
    guard !objects.isEmpty else {
      if problems.isEmpty { printError("error: no objects passed to apply") }
      throw ExitCode(1)
    }
    try await server.connect { api in
      let index = try await api.kinds()
      var applied: [ObjectKey] = []
      var hasFailed = !problems.isEmpty
      for object in objects {
        do throws(ClientFailure) {
          let key = try key(of: object, index)
          if try await apply(object, key, api), !applied.contains(key) { applied.append(key) }
        } catch {
          hasFailed = true
          printError(Self.text(error, of: object))
          // Without a server the rest fails alike.
          if error.isOutage { break }
        }
      }
      if wait, dryRun == .none {
        try await RolloutWait.run(
          applied.filter(\.kind.isProgrammed), for: timeout.value, api)
      }
      if hasFailed { throw ExitCode(1) }
    }
  }

  /// Applies one object, and says what happened to it.
  ///
  /// - Returns: whether it is on the server now.
  private func apply(
    _ object: WrittenObject, _ key: ObjectKey, _ api: APIConnection
  ) async throws(ClientFailure) -> Bool {
    let before = try await api.object(key)
    let query =
      [
        ("fieldManager", fieldManager), ("force", forceConflicts ? "true" : "false"),
        ("fieldValidation", fieldValidation.parameter),
      ] + dryRun.query
    let answer = try await api.apply(object.json, to: key, over: before, query: query)
    for warning in answer.warnings { printError("Warning: \(object.place): \(warning)") }
    let word =
      before == nil ? "created" : answer.json == before ? "unchanged" : "configured"
    Console.print("\(key.label) \(word)\(dryRun.mark)\n")
    return true
  }

  /// What the server calls an object of a file.
  private func key(
    of object: WrittenObject, _ index: KindIndex
  ) throws(ClientFailure) -> ObjectKey {
    guard !object.kind.isEmpty, !object.apiVersion.isEmpty else {
      throw .local("expected an object with apiVersion and kind")
    }
    guard let kind = index.kind(apiVersion: object.apiVersion, kind: object.kind) else {
      throw .local("no matches for kind \"\(object.kind)\" in version \"\(object.apiVersion)\"")
    }
    guard !object.name.isEmpty else { throw .local("resource name may not be empty") }
    if kind.isNamespaced, let namespace, !object.namespace.isEmpty, object.namespace != namespace {
      throw .local(
        "the namespace of the object is \"\(object.namespace)\", that of the command is "
          + "\"\(namespace)\"; say --namespace \(object.namespace), or none")
    }
    let own = object.namespace.isEmpty ? namespace ?? "default" : object.namespace
    return ObjectKey(kind, in: own, object.name)
  }

  private static func text(_ failure: ClientFailure, of object: WrittenObject) -> String {
    switch failure {
    case .server(let status): status.text(of: object)
    case .local(let reason): "error: \(object.place): \(reason)"
    case .refused, .unreachable: "\(failure)"
    }
  }
}
