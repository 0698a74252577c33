// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Flags
import JSON
import KubeClient
import Manifests
import NIOHTTP1

/// `skiffctl delete`: removes objects from a running skiffd.
struct Delete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Delete objects of a running skiffd: KIND NAME…, KIND/NAME…, or those of files.",
    discussion: "Exits with 1 where an object is not there or may not be deleted.")

  @Argument(help: "Which objects.")
  var objects: [String] = []

  @Option(
    name: [.short, .customLong("filename")], help: "A file, a directory, or - for standard input.")
  var filenames: [String] = []

  @Option(name: .shortAndLong, help: "The namespace.")
  var namespace = "default"

  @OptionGroup var server: ServerOptions

  @Option(name: [.customShort("l"), .long], help: "Only objects with these labels: a=b,c!=d.")
  var selector = ""

  @Flag(help: "All objects of the kind in the namespace.")
  var all = false

  @Flag(help: "Do not fail where an object is not there.")
  var ignoreNotFound = false

  @Option(help: "server: only say what would happen.")
  var dryRun = DryRun.none

  @Flag(inversion: .prefixedNo, help: "Wait until objects that finalizers hold are gone.")
  var wait = true

  @Option(help: "How long to wait for those.")
  var timeout = FlagDuration(.seconds(60))

  func validate() throws {
    guard objects.isEmpty != filenames.isEmpty else {
      throw ValidationError("say which objects, or give -f")
    }
    guard
      objects.isEmpty || objects.count > 1 || objects[0].contains("/") || all
        || !selector.isEmpty
    else { throw ValidationError("give a name, --selector or --all") }
    guard !all || (selector.isEmpty && objects.count == 1 && !objects[0].contains("/")) else {
      throw ValidationError("--all is for a kind, without names, files or --selector")
    }
    guard selector.isEmpty || (objects.count == 1 && !objects[0].contains("/")) else {
      throw ValidationError("--selector is for a kind, without names or files")
    }
  }

  func run() async throws {
    try await server.connect { api in
      let index = try await api.kinds()
      var (keys, hasFailed) = try await keys(index, api)
      var held: [ObjectKey] = []
      for key in keys {
        do throws(ClientFailure) {
          let answer = try await api.send(.DELETE, key.path, query: dryRun.query)
          Console.print(
            "\(key.kind.qualifiedSingular) \"\(key.name)\" deleted\(dryRun.mark)\n")
          // What is only marked is answered with itself.
          if answer.json["kind"] != "Status" { held.append(key) }
        } catch {
          if error.isNotFound, ignoreNotFound { continue }
          printError("\(error)")
          hasFailed = true
          if error.isOutage { break }
        }
      }
      keys = held
      if wait, dryRun == .none, !held.isEmpty {
        try await Goal.run(.delete, keys, for: timeout.value, api) { _ in }
      }
      if hasFailed { throw ExitCode(1) }
    }
  }

  private func keys(
    _ index: KindIndex, _ api: APIConnection
  ) async throws -> (keys: [ObjectKey], hasFailed: Bool) {
    guard filenames.isEmpty else {
      let (written, problems) = ManifestReader().written(paths: filenames)
      for problem in problems { printError("error: \(problem)") }
      var keys: [ObjectKey] = []
      var hasFailed = !problems.isEmpty
      for object in written {
        guard let kind = index.kind(apiVersion: object.apiVersion, kind: object.kind),
          !object.name.isEmpty
        else {
          printError(
            "error: \(object.place): no matches for kind \"\(object.kind)\" in version "
              + "\"\(object.apiVersion)\", or no name")
          hasFailed = true
          continue
        }
        let own = object.namespace.isEmpty ? namespace : object.namespace
        keys.append(ObjectKey(kind, in: own, object.name))
      }
      return (keys, hasFailed)
    }
    let selections = try Selection.all(objects, in: index)
    let keys = try await ObjectSearch.keys(
      selections, in: namespace, labels: selector, api)
    if keys.isEmpty { printError("No resources found") }
    return (keys, false)
  }
}
