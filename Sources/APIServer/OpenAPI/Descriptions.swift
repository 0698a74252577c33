// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Sentences for `kubectl explain`: about each kind, and the fields that people ask about most.
enum Descriptions {
  /// What a field is, by its path without positions; an empty path is the kind.
  static func text(_ resource: APIResource, _ path: [String]) -> String {
    let kind = resource.kind.kind
    if path.isEmpty { return kinds[kind] ?? "" }
    if path == ["spec"] { return "What is wanted." }
    return fields["\(kind).\(path.joined(separator: "."))"] ?? ""
  }

  private static let kinds = [
    "WasmPlugin": "Adds a filter in WebAssembly to the proxies that it selects.",
    "TrafficExtension": "Adds a filter in WebAssembly or Lua to the proxies that it selects.",
    "EnvoyFilter": "Patches the Envoy configuration that is generated for proxies.",
    "VirtualService": "Routes the requests for some hosts to services.",
    "Gateway": "Opens ports of gateway proxies for some hosts.",
    "DestinationRule": "Says how traffic to a service is balanced, limited and secured.",
    "ServiceEntry": "Makes a service known that is not found otherwise.",
    "Sidecar": "Limits what sidecars see, and says which ports they open.",
    "WorkloadEntry": "Describes one workload that is no pod.",
    "WorkloadGroup": "Describes workloads that are no pods.",
    "ProxyConfig": "Settings of the proxies that it selects.",
    "AuthorizationPolicy": "Says who may do what.",
    "PeerAuthentication": "Says whether peers must show a certificate.",
    "RequestAuthentication": "Says which tokens requests may carry.",
    "Telemetry": "Says which telemetry proxies send.",
    "IstioOperator": "The mesh configuration, as Istio's installer takes it.",
    "Namespace": "Groups objects; made with the first object in it.",
    "Service": "A Kubernetes Service.",
    "Pod": "A workload; only its labels and address count here.",
    "Endpoints": "The addresses of a Service.",
    "EndpointSlice": "A part of the addresses of a Service.",
    "Secret": "Certificates, keys and credentials.",
    "ConfigMap": "Text that other objects refer to.",
    "Event": "Something that happened to an object.",
    "ControllerRevision": "A generation of an object: who made it, and what it was; read-only.",
    "CustomResourceDefinition": "A kind that the server has; read-only.",
  ]

  private static let fields = [
    "WasmPlugin.spec.url": "Where the module is: file://, http://, https:// or oci://.",
    "WasmPlugin.spec.sha256": "The module's digest; a module with another one is refused.",
    "WasmPlugin.spec.imagePullPolicy": "Whether the module is asked for again.",
    "WasmPlugin.spec.imagePullSecret": "The Secret with the registry's credentials.",
    "WasmPlugin.spec.pluginConfig": "What the plugin is given as its configuration.",
    "WasmPlugin.spec.pluginName": "What the plugin is told that it is called.",
    "WasmPlugin.spec.phase": "Where in the filter chain it stands.",
    "WasmPlugin.spec.priority": "The order among plugins of a phase; the highest is first.",
    "WasmPlugin.spec.failStrategy": "What happens to requests when the plugin fails.",
    "WasmPlugin.spec.selector": "The labels of the proxies; all in the namespace without it.",
    "WasmPlugin.spec.targetRefs": "The gateways or services that it attaches to.",
    "WasmPlugin.spec.match": "The traffic that it sees; all without it.",
    "WasmPlugin.spec.vmConfig": "The environment of the virtual machine.",
    "WasmPlugin.spec.type": "Whether it is a filter of HTTP or of connections.",
    "EnvoyFilter.spec.configPatches": "The patches, in the order in which they are applied.",
    "EnvoyFilter.spec.configPatches.applyTo": "What is patched.",
    "EnvoyFilter.spec.configPatches.match": "Where the patch applies.",
    "EnvoyFilter.spec.configPatches.patch": "What is done, and with which value.",
    "EnvoyFilter.spec.priority": "The order among filters; the lowest is applied first.",
    "EnvoyFilter.spec.workloadSelector": "The labels of the proxies; all without it.",
    "VirtualService.spec.hosts": "The host names whose requests are routed.",
    "VirtualService.spec.gateways": "The gateways that route them; mesh stands for sidecars.",
    "VirtualService.spec.http": "The rules for HTTP; the first that matches counts.",
    "VirtualService.spec.http.match": "The requests that a rule is for; all without it.",
    "VirtualService.spec.http.route": "Where requests go, with weights.",
    "Gateway.spec.selector": "The labels of the gateway proxies.",
    "Gateway.spec.servers": "The ports, and the hosts that they are for.",
    "ServiceEntry.spec.hosts": "The names of the service.",
    "ServiceEntry.spec.ports": "The ports of the service.",
    "ServiceEntry.spec.endpoints": "Its addresses, where they are not looked up.",
    "ServiceEntry.spec.location": "Inside or outside of the mesh.",
    "ServiceEntry.spec.resolution": "How its addresses are found.",
  ]
}
