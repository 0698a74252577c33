// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Flags
import KubeClient

/// `skiffctl wait`: until objects are as they should be.
struct Wait: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Wait until objects of a running skiffd are as they should be.",
    discussion: """
      skiffctl wait --for=condition=Programmed virtualservice/web --timeout=30s

      condition=TYPE[=STATUS] is one of the object's status and of its present generation; delete \
      waits until it is gone, create until it is there. Exits with 1 when the time is over.
      """)

  @Argument(help: "Which objects: KIND NAME…, KIND/NAME…, or KIND with --all or --selector.")
  var objects: [String]

  @Option(name: .customLong("for"), help: "condition=TYPE[=STATUS], delete or create.")
  var goal: WaitGoal

  @OptionGroup var scope: ScopeOptions
  @OptionGroup var server: ServerOptions

  @Option(name: [.customShort("l"), .long], help: "Only objects with these labels: a=b,c!=d.")
  var selector = ""

  @Flag(help: "All objects of the kind.")
  var all = false

  @Option(help: "How long to wait for all of them together.")
  var timeout = FlagDuration(.seconds(30))

  func run() async throws {
    try await server.connect { api in
      let selections = try Selection.all(objects, in: try await api.kinds())
      guard !selections.contains(where: \.names.isEmpty) || all || !selector.isEmpty else {
        throw ClientFailure.local("give a name, --selector or --all")
      }
      let keys = try await ObjectSearch.keys(
        selections, in: scope.namespace, labels: selector, api)
      guard !keys.isEmpty else { throw ClientFailure.local("no matching resources found") }
      let word = goal == .delete ? "deleted" : "condition met"
      try await Goal.run(goal, keys, for: timeout.value, api) { key in
        Console.print("\(key.label) \(word)\n")
      }
    }
  }
}

extension WaitGoal: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
