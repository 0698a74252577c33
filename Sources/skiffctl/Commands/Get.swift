// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import JSON
import KubeClient

/// `skiffctl get`: what a running skiffd has.
struct Get: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show objects of a running skiffd: KIND[,KIND…], KIND NAME… or KIND/NAME….")

  @Argument(help: "Which objects.")
  var objects: [String]

  @OptionGroup var scope: ScopeOptions
  @OptionGroup var server: ServerOptions

  @Option(name: .shortAndLong, help: "wide, yaml, json or name; a table without it.")
  var output: Form?

  @Option(name: [.customShort("l"), .long], help: "Only objects with these labels: a=b,c!=d.")
  var selector = ""

  @Flag(name: .shortAndLong, help: "Go on with every change.")
  var watch = false

  @Flag(help: "No heading.")
  var noHeaders = false

  @Flag(help: "Show who owns which field, with -o yaml and json.")
  var showManagedFields = false

  @Flag(help: "Do not fail where a named object is not there.")
  var ignoreNotFound = false

  enum Form: String, CaseIterable, ExpressibleByArgument {
    case wide, yaml, json, name
  }

  func run() async throws {
    try await server.connect { api in
      let selections = try Selection.all(objects, in: try await api.kinds())
      guard scope.isEverywhere == false || selections.allSatisfy(\.names.isEmpty) else {
        throw ClientFailure.local("a resource cannot be retrieved by name across all namespaces")
      }
      guard !watch || (selections.count == 1 && selections[0].names.count < 2) else {
        throw ClientFailure.local("you may only watch one object or one kind at a time")
      }
      var printer = ObjectPrinter(
        form: output, hasNamespace: scope.isEverywhere, hasHeading: !noHeaders,
        showsManagers: showManagedFields, namesKinds: selections.count > 1)
      let hasFailed = try await show(selections, &printer, api)
      if watch { return try await follow(selections[0], &printer, api) }
      if hasFailed { throw ExitCode(1) }
      guard !printer.hasPrinted, !ignoreNotFound || selections.contains(where: \.names.isEmpty)
      else { return }
      let isNamespaced = selections.contains { $0.kind.isNamespaced } && !scope.isEverywhere
      if printer.isForPeople {
        printError(
          "No resources found" + (isNamespaced ? " in \(scope.name) namespace." : ""))
      }
    }
  }

  /// Prints what is there now.
  ///
  /// - Returns: whether a named object is missing.
  private func show(
    _ selections: [Selection], _ printer: inout ObjectPrinter, _ api: APIConnection
  ) async throws -> Bool {
    var hasFailed = false
    var shown: [(ServedKind, [JSONValue])] = []
    for selection in selections {
      let kind = selection.kind
      if selection.names.isEmpty {
        shown.append(
          (
            kind,
            try await api.list(
              kind.path(in: scope.namespace), query: query, as: printer.wireForm)
          ))
      }
      for name in selection.names {
        do throws(ClientFailure) {
          let path = kind.path(in: scope.namespace, name)
          shown.append((kind, [try await api.get(path, as: printer.wireForm)]))
        } catch {
          guard error.isNotFound else { throw error }
          if ignoreNotFound { continue }
          printError("\(error)")
          hasFailed = true
        }
      }
    }
    let isOne = objects.count <= 2 && selections.count == 1 && selections[0].names.count == 1
    Console.print(printer.text(shown, isOne: isOne))
    return hasFailed
  }

  private var query: [(String, String)] {
    selector.isEmpty ? [] : [("labelSelector", selector)]
  }

  /// Prints what changes, until the server ends the watch.
  private func follow(
    _ selection: Selection, _ printer: inout ObjectPrinter, _ api: APIConnection
  ) async throws {
    var query = query
    if let name = selection.names.first { query.append(("fieldSelector", "metadata.name=\(name)")) }
    query.append(("resourceVersion", printer.version))
    _ = try await api.watch(
      selection.kind.path(in: scope.namespace), query: query, as: printer.wireForm
    ) { type, object in
      if type != "BOOKMARK" { Console.print(printer.event(object, of: selection.kind)) }
      return true
    }
  }
}

/// `-n` and `-A`.
struct ScopeOptions: ParsableArguments {
  @Option(name: [.customShort("n"), .customLong("namespace")], help: "The namespace.")
  var name = "default"

  @Flag(name: [.customShort("A"), .customLong("all-namespaces")], help: "All namespaces.")
  var isEverywhere = false

  /// Nil for all.
  var namespace: String? { isEverywhere ? nil : name }
}
