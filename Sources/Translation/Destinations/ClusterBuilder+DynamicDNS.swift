// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf

extension ClusterBuilder {
  /// Looks up the host of each request: resolution DYNAMIC_DNS.
  ///
  /// Envoy's cluster asks the cache itself where no filter has done so before.
  mutating func useDynamicForwardProxy() {
    typealias Config = Envoy_Extensions_Clusters_DynamicForwardProxy_V3_ClusterConfig
    let config = Config.with {
      // Shared by all of them: a name has the same addresses whoever asks.
      $0.dnsCacheConfig.name = "dynamic_dns"
      $0.dnsCacheConfig.dnsLookupFamily = .v4Preferred
      // TLS that is verified by other names than the one asked for is the rule's own choice.
      $0.allowInsecureClusterOptions = true
    }
    message.lbPolicy = .clusterProvided
    message.clusterType.name = "envoy.clusters.dynamic_forward_proxy"
    message.clusterType.typedConfig = config.packed()
  }
}
