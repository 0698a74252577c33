// SPDX-License-Identifier: Apache-2.0

import struct Foundation.Data
import struct Foundation.URL

extension RemoteModuleSource {
  /// An attempt at an image with the logins and mirrors that the settings know.
  func imagePull(
    _ fetch: ModuleFetch, of image: ImageReference, in session: HTTPSession
  ) throws(ModuleError) -> ImagePull {
    var credentials = fetch.credentials
    if credentials == nil { credentials = try defaultCredentials() }
    var connections: [RegistryConnection] = []
    for base in mirrors(of: image) + ["https://\(image.registry)"] {
      var registry: HTTPURL
      do throws(ModuleError) {
        registry = try HTTPURL(parsing: base.contains("://") ? base : "https://\(base)")
      } catch {
        throw ModuleError(
          .fetchFailure,
          "oci://\(image): a mirror cannot be used: expected [http[s]://]HOST[:PORT][/PREFIX]")
      }
      let prefix = registry.target.split(separator: "/").joined(separator: "/")
      registry.target = "/v2/"
      connections.append(
        RegistryConnection(
          registry: registry,
          repository: prefix.isEmpty ? image.repository : "\(prefix)/\(image.repository)",
          login: credentials?.login(for: registry.authority), session: session, tokens: tokens))
    }
    return ImagePull(
      image: image, fetch: fetch, connections: connections, settings: settings, timing: timing,
      plainRegistries: plainRegistries)
  }

  private func mirrors(of image: ImageReference) -> [String] {
    let listed = settings.mirrors[image.registry]
    guard listed == nil, image.registry == ImageReference.dockerHub else { return listed ?? [] }
    return settings.mirrors["docker.io"] ?? []
  }

  /// Read each time, so that a changed file counts with the next round.
  private func defaultCredentials() throws(ModuleError) -> RegistryCredentials? {
    guard let path = settings.dockerConfigPath,
      let data = try? Data(contentsOf: URL(filePath: path))
    else { return nil }
    return try RegistryCredentials(dockerConfig: String(decoding: data, as: UTF8.self))
  }
}
