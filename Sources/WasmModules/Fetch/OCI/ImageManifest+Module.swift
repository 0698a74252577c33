// SPDX-License-Identifier: Apache-2.0

extension ImageManifest {
  /// Which layer holds the module, and how.
  struct ModuleLayer: Hashable {
    var layer: Descriptor
    var choice: TarReader.Choice
  }

  /// Layers that are a module, by what Solo's Wasm image specification, the CNCF's Wasm artifact
  /// and ORAS users call them.
  private static let moduleTypes: Set<String> = [
    "application/vnd.module.wasm.content.layer.v1+wasm",
    "application/wasm",
    "application/vnd.wasm.content.layer.v1+wasm",
  ]

  /// Layers of a file system, where the module is `plugin.wasm`.
  private static let archiveTypes: Set<String> = [
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
  ]

  /// Finds the module.
  ///
  /// Istio wants exactly two layers of an artifact and does not know `application/wasm`; here one
  /// layer among any number is enough if it is the only one that can be meant: by its type, else
  /// the last layer of a file system, else by its title, else because it is the only layer.
  func moduleLayer() throws(ModuleError) -> ModuleLayer {
    let modules = layers.filter { Self.moduleTypes.contains($0.mediaType) }
    if modules.count == 1 { return ModuleLayer(layer: modules[0], choice: .firstModule) }
    let titled = layers.filter { $0.title?.hasSuffix(".wasm") == true }
    if modules.isEmpty {
      if let last = layers.last, Self.archiveTypes.contains(last.mediaType) {
        return ModuleLayer(layer: last, choice: .named("plugin.wasm"))
      }
      if titled.count == 1 { return ModuleLayer(layer: titled[0], choice: .firstModule) }
      if layers.count == 1 { return ModuleLayer(layer: layers[0], choice: .firstModule) }
    } else {
      // Several modules: the one that is called as in a file system image is meant.
      let named = modules.filter { $0.title == "plugin.wasm" }
      if named.count == 1 { return ModuleLayer(layer: named[0], choice: .firstModule) }
    }
    let types = layers.map(\.mediaType).joined(separator: ", ")
    throw ModuleError(
      .manifestFailure,
      "expected one layer to be the Wasm module (application/wasm), or a last layer with "
        + "plugin.wasm; found \(layers.isEmpty ? "no layers" : types)")
  }
}
