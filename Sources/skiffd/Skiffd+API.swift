// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ControlPlane
import Serving

/// The flags of the control API.
extension Skiffd {
  /// Whoever can write configuration owns the mesh: beyond this machine only with TLS and a token.
  func validateAPI() throws {
    guard (apiTlsCert == nil) == (apiTlsKey == nil) else {
      throw ValidationError("--api-tls-cert and --api-tls-key belong together.")
    }
    guard let apiAddress else {
      for (flag, value) in [
        ("--data-dir", dataDir), ("--api-tls-cert", apiTlsCert), ("--api-token-file", apiTokenFile),
      ] where value != nil {
        throw ValidationError("\(flag) is for the control API: say --api-address too.")
      }
      return
    }
    if !apiAddress.isLoopback, apiTlsCert == nil || apiTokenFile == nil {
      throw ValidationError(
        "\(apiAddress) can be reached from other machines: use a loopback address, or give "
          + "--api-tls-cert, --api-tls-key and --api-token-file.")
    }
  }

  var apiSettings: APISettings? {
    apiAddress.map { address in
      var api = APISettings(address: address)
      api.dataDirectory = dataDir
      api.tokenFile = apiTokenFile
      if let apiTlsCert, let apiTlsKey {
        api.tls = .init(certificate: apiTlsCert, key: apiTlsKey)
      }
      return api
    }
  }
}
