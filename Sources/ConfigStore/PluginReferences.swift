// SPDX-License-Identifier: Apache-2.0

import Manifests
import MeshModel

/// Looks for plugins that VirtualServices and Gateways name and nobody declares.
///
/// An error, not a warning as for other names that lead nowhere: what guards a route must not be
/// missing unseen, so requests of such a route are answered with 500.
struct PluginReferences: Piece {
  struct Argument: Equatable {
    let gateways: ObjectList<Gateway>
    let virtualServices: ObjectList<VirtualService>
    let providers: [MeshConfig.ExtensionProvider]
  }

  private(set) var problems: [ConfigError] = []

  init(_ argument: Argument) {
    let users = Users(argument)
    guard !users.isEmpty else { return }
    let declared = Declared(argument.providers)
    for user in users.list {
      let path = user.reference.path(in: user.base)
      guard let reason = declared.fault(user.reference.name) else { continue }
      problems.append(ConfigError(.notFound, object: user.object, at: path, reason: reason))
    }
    for (object, references, base) in users.groups {
      guard let (first, second) = declared.firstOutOfOrder(references) else { continue }
      problems.append(
        ConfigError(
          .conflict, severity: .warning, object: object, at: second.path(in: base),
          reason: "requests pass \(second.name) before \(first.name): plugins run by their phase "
            + "and priority, then in the order of extensionProviders"))
    }
  }

  /// Who names plugins, and where.
  private struct Users {
    var groups: [(object: ObjectRef, references: [PluginReference], base: FieldPath)] = []

    init(_ argument: Argument) {
      for gateway in argument.gateways where !gateway.plugins.isEmpty {
        groups.append((gateway.ref, gateway.plugins, FieldPath("spec")))
      }
      for object in argument.virtualServices {
        if !object.plugins.isEmpty {
          groups.append((object.ref, object.plugins, FieldPath("spec")))
        }
        for route in object.http where !route.plugins.isEmpty {
          groups.append((object.ref, route.plugins, route.path))
        }
      }
    }

    var isEmpty: Bool { groups.isEmpty }

    var list: [(object: ObjectRef, reference: PluginReference, base: FieldPath)] {
      groups.flatMap { group in
        group.references.map { (group.object, $0, group.base) }
      }
    }
  }

  /// What can be named.
  private struct Declared {
    /// The place of each plugin among those that a request passes.
    private var ranks: [String: Int] = [:]
    /// Providers of other kinds, by name.
    private var others: [String: String] = [:]

    init(_ providers: [MeshConfig.ExtensionProvider]) {
      var plugins: [Plugin] = []
      for provider in providers {
        if case .other(let kind, _) = provider.provider { others[provider.name] = kind }
        if let plugin = Plugin(provider, rootNamespace: "") { plugins.append(plugin) }
      }
      for (rank, plugin) in plugins.inChainOrder.enumerated() { ranks[plugin.configName] = rank }
    }

    func fault(_ name: String) -> String? {
      if ranks[name] != nil { return nil }
      let effect = "; requests of the routes that it is for are answered with 500"
      if let kind = others[name] {
        return "the extension provider \(name) is no Wasm plugin but \(kind)" + effect
      }
      guard !ranks.isEmpty else {
        return "there is no Wasm plugin \"\(name)\", as meshConfig.extensionProviders has none"
          + effect
      }
      return "there is no Wasm plugin \"\(name)\" in meshConfig.extensionProviders"
        + NearestName.hint(for: name, among: ranks.keys.sorted()) + effect
    }

    /// Two plugins that run in another order than they are listed in.
    func firstOutOfOrder(_ references: [PluginReference]) -> (PluginReference, PluginReference)? {
      zip(references, references.dropFirst()).first { first, second in
        guard let left = ranks[first.name], let right = ranks[second.name] else { return false }
        return right < left
      }
    }
  }
}
