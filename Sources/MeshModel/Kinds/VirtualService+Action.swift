// SPDX-License-Identifier: Apache-2.0

/// What a route of a VirtualService does with a request.
extension VirtualService {
  package enum Action: Hashable, Sendable {
    case route([WeightedDestination])
    case redirect(Redirect)
    case directResponse(DirectResponse)
    /// The routes of another VirtualService; an empty namespace is that of this one.
    case delegate(name: String, namespace: String)
  }

  package struct Destination: Hashable, Sendable {
    /// As written: a full or a short name.
    package var host: String
    package var subset: String
    package var port: UInt16?
    package init(host: String, subset: String = "", port: UInt16? = nil) {
      self.host = host
      self.subset = subset
      self.port = port
    }
  }

  package struct WeightedDestination: Hashable, Sendable {
    package var destination: Destination
    package var weight: UInt32
    package var headers: Headers
    package init(destination: Destination, weight: UInt32 = 0, headers: Headers = Headers()) {
      self.destination = destination
      self.weight = weight
      self.headers = headers
    }
  }

  package struct Redirect: Hashable, Sendable {
    package enum Port: Hashable, Sendable {
      case number(UInt16)
      /// `FROM_PROTOCOL_DEFAULT`: 80 or 443, which is not written.
      case protocolDefault
      /// `FROM_REQUEST_PORT`
      case requestPort
    }
    package var uri = ""
    package var authority = ""
    package var scheme = ""
    package var port: Port?
    /// 301, 302, 303, 307 or 308.
    package var code: UInt32 = 301
    package init() {}
  }

  package struct DirectResponse: Hashable, Sendable {
    package var status: UInt32
    package var body: [UInt8]
    package init(status: UInt32, body: [UInt8] = []) {
      self.status = status
      self.body = body
    }
  }

  package struct Rewrite: Hashable, Sendable {
    package enum Path: Hashable, Sendable {
      /// In place of what the match found: the prefix, or the whole path.
      case prefix(String)
      /// In place of what an RE2 expression finds; `\1` stands for its first group.
      case regex(match: String, substitution: String)
    }
    package var path: Path?
    package var authority = ""
    package init(path: Path? = nil, authority: String = "") {
      self.path = path
      self.authority = authority
    }
  }

  package struct HeaderOperations: Hashable, Sendable {
    package var set: [String: String] = [:]
    package var add: [String: String] = [:]
    package var remove: [String] = []
    package init() {}
    package var isEmpty: Bool { self.set.isEmpty && add.isEmpty && remove.isEmpty }
  }

  package struct Headers: Hashable, Sendable {
    package var request = HeaderOperations()
    package var response = HeaderOperations()
    package init() {}
    package var isEmpty: Bool { request.isEmpty && response.isEmpty }

    /// Setting such a header rewrites the authority of the request.
    package static func isAuthority(_ name: String) -> Bool {
      name == ":authority" || name.lowercased() == "host"
    }
  }
}
