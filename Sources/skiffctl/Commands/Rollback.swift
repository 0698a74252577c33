// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Flags
import JSON
import KubeClient
import NIOHTTP1

/// `skiffctl rollback`: makes an object again what it was.
struct Rollback: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make an object again what it was in an earlier revision.",
    discussion: """
      Writes a new revision with the spec, labels and annotations of the old one; a deleted object \
      is made again. It is judged as any other write: what is refused today changes nothing.
      """)

  @Argument(help: "KIND/NAME.")
  var object: ObjectName

  @Option(help: "The revision; without it the one before the newest.")
  var to: Int64?

  @Option(name: .shortAndLong, help: "The namespace.")
  var namespace = "default"

  @OptionGroup var server: ServerOptions

  @Option(help: "server: only say what would happen.")
  var dryRun = DryRun.none

  @Flag(help: "Wait until all proxies run it, and show how far they are.")
  var wait = false

  @Option(help: "How long --wait waits.")
  var timeout = FlagDuration(.seconds(60))

  /// Others write the object too, if only its status.
  private static let mostTries = 5

  func run() async throws {
    try await server.connect { api in
      let key = try object.key(in: namespace, try await api.kinds())
      let revisions = try await api.history(of: key)
      let target = try self.target(revisions, of: key)
      guard try await restore(target, key, api) else { return }
      if wait, dryRun == .none, key.kind.isProgrammed {
        try await RolloutWait.run([key], for: timeout.value, api)
      }
    }
  }

  private func target(
    _ revisions: [ObjectRevision], of key: ObjectKey
  ) throws(ClientFailure) -> ObjectRevision {
    if let to {
      let found = try revisions.revision(to, of: key)
      guard found.object != nil else {
        throw .local("revision \(to) of \(key.label) is its deletion; see skiffctl delete")
      }
      return found
    }
    guard let found = revisions.dropLast().last(where: { $0.object != nil }) else {
      throw .local("\(key.label) has no former revision")
    }
    return found
  }

  /// Writes the object as it was, and says what changed.
  ///
  /// - Returns: whether there was anything to do.
  private func restore(
    _ target: ObjectRevision, _ key: ObjectKey, _ api: APIConnection
  ) async throws -> Bool {
    let query =
      [("fieldManager", "skiffctl"), ("fieldValidation", "Warn")] + dryRun.query
    for attempt in 1...Self.mostTries {
      let live = try await api.object(key)
      guard let body = target.restored(over: live) else {
        preconditionFailure("a deletion is no target of a rollback")
      }
      let changes = live.map { HistoryText.difference($0, target.object) } ?? []
      if live != nil, changes.isEmpty {
        Console.print(
          "\(key.label) skipped rollback, it is as in revision \(target.number)\(dryRun.mark)\n")
        return false
      }
      do throws(ClientFailure) {
        let answer =
          live == nil
          ? try await api.send(
            .POST, key.kind.path(in: key.namespace), query: query, .object(body))
          : try await api.send(.PUT, key.path, query: query, .object(body))
        for warning in answer.warnings { printError("Warning: \(warning)") }
      } catch {
        if case .server(let status) = error, status.code == 409, attempt < Self.mostTries {
          continue
        }
        if case .server(let status) = error, status.code == 422 {
          printError(
            "error: revision \(target.number) is refused by today's validation; "
              + "nothing was changed")
        }
        throw error
      }
      Console.print(
        "\(key.label) rolled back to revision \(target.number)\(dryRun.mark)\n"
          + changes.map { "  \($0)\n" }.joined())
      return true
    }
    return false
  }
}
