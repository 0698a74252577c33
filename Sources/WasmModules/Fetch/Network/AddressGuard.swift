// SPDX-License-Identifier: Apache-2.0

/// Which addresses a module may be fetched from.
///
/// A WasmPlugin's author chooses the URL, a server chooses the redirects, and the agent runs where
/// cloud metadata services answer: without a guard, the URL asks them (server-side request
/// forgery). As Istio (pkg/wasm/ssrf.go), private and loopback addresses are allowed, because
/// registries live there; all of multicast is refused, where Istio refuses the link-local part.
struct AddressGuard: Sendable {
  /// Link-local, multicast, and metadata services that live elsewhere.
  ///
  /// 169.254.169.254 hidden in a 6to4 address is named too; for NAT64 see `isBlocked`.
  private static let always = AddressRange.ranges(
    "169.254.0.0/16", "fe80::/10", "224.0.0.0/4", "ff00::/8",
    "100.100.100.200/32", "fd00:ec2::/32", "2002:a9fe::/32")
  private static let nat64 = AddressRange.ranges("64:ff9b::/96")

  /// Further ranges of the installation.
  var blocked: [AddressRange] = []

  func isBlocked(_ address: IPAddress) -> Bool {
    if (Self.always + blocked).contains(where: { $0.contains(address) }) { return true }
    // A NAT64 gateway would carry the request to the IPv4 address in the last four bytes.
    guard Self.nat64.contains(where: { $0.contains(address) }) else { return false }
    return isBlocked(IPAddress(bytes: Array(address.bytes[12...])))
  }

  /// The addresses that may be connected to, in order.
  ///
  /// - Throws: `download_failure` if there are none because all are blocked.
  func allowed(_ addresses: [IPAddress], of host: String) throws(ModuleError) -> [IPAddress] {
    let allowed = addresses.filter { !isBlocked($0) }
    if let first = addresses.first, allowed.isEmpty {
      throw ModuleError(
        .downloadFailure,
        "\(host) is at \(first), a link-local, metadata or otherwise blocked address; "
          + "no module is fetched from there")
    }
    return allowed
  }
}
