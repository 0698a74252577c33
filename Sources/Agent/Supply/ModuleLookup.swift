// SPDX-License-Identifier: Apache-2.0

package import MeshModel
package import WasmModules

/// What can be known of modules without waiting: an index in memory, never the network.
package struct ModuleLookup: Sendable {
  package var cached: @Sendable (ModuleRequest) -> Module?
  package var lastGood: @Sendable (_ plugin: String) -> Module?

  package init(
    cached: @escaping @Sendable (ModuleRequest) -> Module?,
    lastGood: @escaping @Sendable (_ plugin: String) -> Module?
  ) {
    self.cached = cached
    self.lastGood = lastGood
  }

  package init(_ provider: any ModuleProvider) {
    self.init(cached: provider.cached, lastGood: provider.lastGood)
  }
}

/// How modules are supplied to the resources of a stream.
package struct SupplyRules: Sendable {
  package var mode = WasmFailureMode.reject
  /// Between rounds; within a round the provider has retries of its own.
  package var retry = Backoff(initial: .seconds(1), factor: 2)
  package var modules: ModuleLookup
  /// From 0 up to 1.
  package var random: @Sendable () -> Double = { .random(in: 0..<1) }

  package init(modules: ModuleLookup) { self.modules = modules }
}

/// A module to be fetched for a resource.
package struct ModuleWork: Hashable, Sendable {
  /// Which fetch this is; its result counts only while the resource still waits for it.
  package struct ID: Hashable, Sendable {
    package var typeURL: TypeURL
    package var resource: String
    /// Grows with every version of any resource on the stream.
    package var sequence: UInt64
    /// Of the module in the resource.
    package var index: Int
  }

  package var id: ID
  package var request: ModuleRequest
}
