// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import EnvoyAPI
import JSON
import MeshModel
import Translation

/// `skiffctl explain`: offline, why an EnvoyFilter does what it does to a proxy, and who wrote what.
struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say why an EnvoyFilter changes a proxy or does not, or who wrote a filter.",
    discussion: """
      skiffctl explain envoyfilter/NAME -n NAMESPACE … holds every patch against everything in the \
      proxy's configuration: which conditions hold, which fail first and how nearly, and where \
      what was inserted stands in the end.

      skiffctl explain --why NAME … says which objects wrote the filter, cluster, route, virtual \
      host or listener of that name.

      Exits with 1 where the object or the name is not there.
      """)

  @Argument(help: "envoyfilter/NAME.")
  var object: EnvoyFilterName?

  @Option(help: "The name of a filter, cluster, route, virtual host or listener.")
  var why: String?

  @Option(name: .shortAndLong, help: "The namespace of the object.")
  var namespace = "default"

  @Option(
    name: [.short, .customLong("filename")], help: "A file, a directory, or - for standard input.")
  var filenames: [String]

  @OptionGroup var options: ProxyOptions

  @Option(name: [.short, .customLong("output")], help: "text, json or yaml.")
  var output = ReportFormat.text

  func validate() throws {
    guard (object == nil) != (why == nil) else {
      throw ValidationError("expected either envoyfilter/NAME or --why NAME")
    }
  }

  func run() throws {
    let proxy = try options.proxy()
    let mesh = OfflineMesh(paths: filenames)
    let explainer = Explainer(Translator(types: EnvoyTypes.pool))
    let proxyClass = mesh.proxyClass(of: proxy)
    do throws(ConfigError) {
      if let name = object?.name {
        let found = try explainer.explain(
          envoyFilter: name, in: namespace, of: mesh.snapshot, for: proxyClass)
        print(output.text(found.json) { ExplanationText.text(found, proxy) }, terminator: "")
      } else if let why {
        let found = try explainer.why(why, in: mesh.snapshot, for: proxyClass)
        print(output.text(found.json) { ProvenanceText.text(found) }, terminator: "")
      }
    } catch {
      // What cannot be read at all has no object; it may be why nothing was found.
      for problem in mesh.snapshot.problems where problem.object == nil { printError(problem.line) }
      printError("Error: \(error)")
      throw ExitCode(1)
    }
  }
}

/// `envoyfilter/NAME`, with the kind as people write it for kubectl.
struct EnvoyFilterName: ExpressibleByArgument {
  var name: String

  private static let kinds: Set = [
    "envoyfilter", "envoyfilters", "envoyfilter.networking.istio.io",
    "envoyfilters.networking.istio.io",
  ]

  init?(argument: String) {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, Self.kinds.contains(parts[0].lowercased()), !parts[1].isEmpty
    else { return nil }
    name = parts[1]
  }
}
