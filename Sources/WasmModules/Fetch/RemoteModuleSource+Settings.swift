// SPDX-License-Identifier: Apache-2.0

extension RemoteModuleSource {
  /// What an operator may choose.
  ///
  /// The names in capitals are Istio's variables; the caller reads them, this target reads no
  /// environment.
  package struct Settings: Sendable {
    /// The longest that an attempt may take (WASM_HTTP_REQUEST_TIMEOUT).
    ///
    /// For a layer of an image it is the longest time without a byte.
    package var attemptTimeout = Duration.seconds(15)
    /// Attempts in a round, the first included (WASM_HTTP_REQUEST_MAX_RETRIES).
    package var attempts = 5
    /// The wait between attempts.
    package var backoff = Backoff()
    /// The most bytes of a download and of a module (ISTIO_WASM_MAX_BINARY_SIZE_BYTES).
    package var maximumSize = 256 << 20
    /// `host[:port]`, or `*` for all (WASM_INSECURE_REGISTRIES).
    ///
    /// Certificates are not verified there, and a registry may answer plain http.
    package var insecureRegistries: Set<String> = []
    /// `host[:port]` to a PEM file whose certificates are trusted there beside the system's.
    package var certificateAuthorities: [String: String] = [:]
    /// `host[:port]` of a registry to what is asked before it, in order.
    ///
    /// A mirror is `[http[s]://]host[:port][/prefix]`; Docker Hub's key is `docker.io`.
    package var mirrors: [String: [String]] = [:]
    /// Ranges to fetch nothing from, beside the built-in ones (BLOCKED_CIDRS_IN_WASM_FETCH).
    package var blockedRanges: [AddressRange] = []
    /// Proxies (HTTP_PROXY, HTTPS_PROXY, NO_PROXY).
    package var proxies = HTTPProxies()
    /// The docker config.json for fetches without a pull secret (DOCKER_CONFIG names its folder).
    package var dockerConfigPath: String?
    /// How many attempts run at the same time; the others wait in order.
    package var concurrentDownloads = 8

    /// Istio's defaults.
    package init() {}

    func isInsecure(_ url: HTTPURL) -> Bool {
      insecureRegistries.contains("*") || !insecureRegistries.isDisjoint(with: names(of: url))
    }

    func authorities(for url: HTTPURL) -> String? {
      names(of: url).compactMap { certificateAuthorities[$0] }.first
    }

    /// How an operator may have named the host: with the port first, as it says more.
    private func names(of url: HTTPURL) -> [String] {
      var bare = url
      bare.port = nil
      var full = url
      full.port = url.effectivePort
      // A name without a port means the scheme's own port, and no other.
      return url.effectivePort == (url.isTLS ? 443 : 80)
        ? [full.authority, bare.authority] : [full.authority]
    }
  }
}
