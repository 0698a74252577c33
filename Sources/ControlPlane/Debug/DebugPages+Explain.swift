// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import JSON
import MeshModel
import Serving
import Translation
import XDSServer

extension DebugPages {
  /// `/debug/explain`: why an EnvoyFilter does what it does to one proxy, or who wrote a filter.
  ///
  /// The answer of `skiffctl explain -o json` for the configuration in force.
  func explain(_ request: Request) async throws -> Response {
    let proxy = try await client(request).proxy
    guard let mesh = ads.mesh else {
      throw HTTPError(.serviceUnavailable, message: "waiting for the first snapshot")
    }
    let question = try Question(request)
    let proxyClass = mesh.classifier.proxyClass(of: proxy)
    do throws(ConfigError) {
      switch question {
      case .why(let name):
        return .json(try explainer.why(name, in: mesh, for: proxyClass).json, for: request)
      case .envoyFilter(let name, let namespace):
        let explanation = try explainer.explain(
          envoyFilter: name, in: namespace, of: mesh, for: proxyClass)
        return .json(explanation.json, for: request)
      }
    } catch {
      throw HTTPError(.notFound, message: "\(error)")
    }
  }

  private enum Question {
    case envoyFilter(name: String, namespace: String)
    case why(String)

    init(_ request: Request) throws {
      let parameters = request.uri.queryParameters
      func value(_ name: Substring) -> String? {
        parameters[name].map(String.init).flatMap { $0.isEmpty ? nil : $0 }
      }
      if let name = value("why") {
        self = .why(name)
        return
      }
      guard let name = value("name") else {
        throw HTTPError(
          .badRequest,
          message: "say what: ?kind=EnvoyFilter&name=NAME&namespace=NAMESPACE, or ?why=NAME")
      }
      let kind = value("kind") ?? ObjectKind.envoyFilter.kind
      guard kind.lowercased() == ObjectKind.envoyFilter.kind.lowercased() else {
        throw HTTPError(
          .badRequest, message: "expected kind=EnvoyFilter, found kind=\(kind)")
      }
      self = .envoyFilter(name: name, namespace: value("namespace") ?? "default")
    }
  }
}
