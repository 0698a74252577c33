// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import JSON
import KubeClient

/// `skiffctl history`: who changed an object, when, what, and what became of it.
struct HistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "Show the revisions of an object: who, when, what changed, what happened.",
    discussion: """
      A revision is a change of what the author wants, or a deletion; RESULT is what had become of \
      it before the next one. --diff 2..4 shows the fields that differ, --diff 2 those that differ \
      from the newest.
      """)

  @Argument(help: "KIND/NAME.")
  var object: ObjectName

  @Option(name: .shortAndLong, help: "The namespace.")
  var namespace = "default"

  @OptionGroup var server: ServerOptions

  @Option(help: "Show this one whole.")
  var revision: Int64?

  @Option(help: "Show what differs: FROM..TO, or FROM.")
  var diff: RevisionRange?

  @Option(name: .shortAndLong, help: "yaml or json: the ControllerRevisions.")
  var output: OutputFormat?

  func validate() throws {
    guard diff == nil || (revision == nil && output == nil) else {
      throw ValidationError("--diff goes without --revision and --output")
    }
  }

  func run() async throws {
    try await server.connect { api in
      let key = try object.key(in: namespace, try await api.kinds())
      let revisions = try await api.history(of: key)
      if let diff {
        let old = try revisions.revision(diff.from, of: key)
        let new = try diff.to.map { to throws(ClientFailure) in
          try revisions.revision(to, of: key)
        }
        let lines = HistoryText.difference(old.object, (new ?? revisions.last)?.object)
        Console.print(lines.map { $0 + "\n" }.joined())
      } else if let revision {
        let format = output ?? .yaml
        Console.print(format.text(try revisions.revision(revision, of: key).json))
      } else if let output {
        Console.print(
          output.text([
            "apiVersion": "apps/v1", "kind": "ControllerRevisionList", "metadata": [:],
            "items": .array(revisions.map(\.json)),
          ]))
      } else {
        Console.print(HistoryText.table(revisions))
      }
    }
  }
}

/// `2..4`, or `2` for what came since.
struct RevisionRange: ExpressibleByArgument {
  let from: Int64
  let to: Int64?

  init?(argument: String) {
    let parts = argument.split(separator: "..", omittingEmptySubsequences: false)
    guard parts.count <= 2, let from = Int64(parts[0]) else { return nil }
    self.from = from
    guard parts.count == 2 else {
      to = nil
      return
    }
    guard let to = Int64(parts[1]) else { return nil }
    self.to = to
  }
}

extension [ObjectRevision] {
  func revision(_ number: Int64, of key: ObjectKey) throws(ClientFailure) -> ObjectRevision {
    if let found = first(where: { $0.number == number }) { return found }
    throw .local(
      "\(key.label) has no revision \(number); there are "
        + map { "\($0.number)" }.joined(separator: ", "))
  }
}
