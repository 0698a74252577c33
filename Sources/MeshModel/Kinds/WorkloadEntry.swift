// SPDX-License-Identifier: Apache-2.0

/// A `networking.istio.io` WorkloadEntry: a workload that is no Pod, such as a virtual machine.
package struct WorkloadEntry: ConfigObject {
  package static let kind = ObjectKind.workloadEntry

  package var meta: ObjectMeta
  /// Its labels are those of the spec and of the metadata; the metadata's count where both have one.
  package var endpoint: ServiceEntry.WorkloadEndpoint

  package init(meta: ObjectMeta, endpoint: ServiceEntry.WorkloadEndpoint) {
    self.meta = meta
    self.endpoint = endpoint
  }
}

/// A core/v1 Pod, as far as selecting it needs.
package struct Pod: ConfigObject {
  package static let kind = ObjectKind.pod

  package var meta: ObjectMeta
  /// Empty until the Pod has been given any.
  package var addresses: [String]
  /// The condition `Ready` of a Pod that runs and is not being deleted.
  package var isReady: Bool

  package init(meta: ObjectMeta, addresses: [String], isReady: Bool = true) {
    self.meta = meta
    self.addresses = addresses
    self.isReady = isReady
  }
}
