// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

extension ObjectKind {
  static let namespace = Self(group: "", kind: "Namespace")
  static let customResourceDefinition = Self(
    group: "apiextensions.k8s.io", kind: "CustomResourceDefinition")
  static let event = Self(group: "", kind: "Event")
  static let controllerRevision = Self(group: "apps", kind: "ControllerRevision")
}

extension Catalog {
  private static let data = Column("Data", type: "integer", "How many entries it has.") { object in
    let entries =
      (object["data"]?.objectMembers?.count ?? 0)
      + (object["binaryData"]?.objectMembers?.count ?? 0)
    return .integer(entries)
  }

  /// `80/TCP` of a Service, or the bare numbers of an EndpointSlice.
  private static func ports(_ ports: JSONValue?, showsProtocol: Bool) -> String {
    let texts = (ports?.arrayElements ?? []).map { port in
      let number = port["port"]?.text() ?? "*"
      return showsProtocol ? "\(number)/\(port["protocol"]?.stringValue ?? "TCP")" : number
    }
    return texts.isEmpty ? "<none>" : texts.joined(separator: ",")
  }

  /// The first three of some addresses.
  private static func some(_ addresses: [String]) -> JSONValue {
    guard !addresses.isEmpty else { return "<none>" }
    let shown = addresses.prefix(3).joined(separator: ",")
    return .string(addresses.count > 3 ? "\(shown) + \(addresses.count - 3) more..." : shown)
  }

  /// Kinds of Kubernetes that configuration needs or refers to.
  static let kubernetes: [APIResource] = [
    APIResource(
      kind: .namespace, versions: ["v1"], plural: "namespaces", shortNames: ["ns"],
      isNamespaced: false,
      columns: [
        .field("Status", "status", "phase", description: "Active, for as long as it is there.")
      ]),
    APIResource(
      kind: .service, versions: ["v1"], plural: "services", shortNames: ["svc"],
      categories: ["all"], isMeasured: true, hasHistory: true,
      columns: [
        Column("Type", "How it is reached.") {
          .string($0["spec"]?["type"]?.stringValue ?? "ClusterIP")
        },
        Column("Cluster-IP", "Its address.") { object in
          .string(object["spec"]?["clusterIP"]?.stringValue ?? "<none>")
        },
        Column("External-IP", "The name or addresses outside.") { object in
          if let name = object["spec"]?["externalName"] { return name }
          let text = Column.text(object["spec"]?["externalIPs"] ?? .null)
          return text == "" ? "<none>" : text
        },
        Column("Port(s)", "The ports that it offers.") { object in
          .string(ports(object["spec"]?["ports"], showsProtocol: true))
        },
        Column("Selector", wide: true, "The labels of its workloads.") { object in
          let text = Column.text(object["spec"]?["selector"] ?? .null)
          return text == "" ? "<none>" : text
        },
      ],
      lists: [
        "spec.ports": .map(keys: ["port", "protocol"], defaults: ["protocol": "TCP"])
      ]),
    APIResource(
      kind: .endpoints, versions: ["v1"], plural: "endpoints", shortNames: ["ep"],
      hasStatus: false,
      columns: [
        Column("Endpoints", "Addresses with ports.") { object in
          some(
            (object["subsets"]?.arrayElements ?? []).flatMap { subset in
              (subset["addresses"]?.arrayElements ?? []).flatMap { address in
                (subset["ports"]?.arrayElements ?? []).map { port in
                  "\(address["ip"]?.stringValue ?? ""):\(port["port"]?.text() ?? "")"
                }
              }
            })
        }
      ]),
    APIResource(
      kind: .endpointSlice, versions: ["v1"], plural: "endpointslices", hasStatus: false,
      columns: [
        .field("AddressType", "addressType", description: "IPv4, IPv6 or FQDN."),
        Column("Ports", "The ports of the endpoints.") { object in
          .string(ports(object["ports"], showsProtocol: false))
        },
        Column("Endpoints", "The addresses.") { object in
          some(
            (object["endpoints"]?.arrayElements ?? []).flatMap { endpoint in
              (endpoint["addresses"]?.arrayElements ?? []).compactMap(\.stringValue)
            })
        },
      ]),
    APIResource(
      kind: .pod, versions: ["v1"], plural: "pods", shortNames: ["po"], categories: ["all"],
      columns: [
        .field("IP", "status", "podIP", description: "Its address."),
        Column("Labels", wide: true, "What it is selected by.") { object in
          Column.text(object["metadata"]?["labels"] ?? .null)
        },
      ],
      lists: [
        "spec.containers": .map(keys: ["name"]), "spec.initContainers": .map(keys: ["name"]),
      ]),
    APIResource(
      kind: .secret, versions: ["v1"], plural: "secrets", hasStatus: false,
      columns: [
        Column("Type", "What it is for.") { .string($0["type"]?.stringValue ?? "Opaque") }, data,
      ]),
    APIResource(
      kind: ObjectKind(group: "", kind: "ConfigMap"), versions: ["v1"], plural: "configmaps",
      shortNames: ["cm"], hasStatus: false, hasHistory: true, columns: [data]),
    APIResource(
      kind: .event, versions: ["v1"], plural: "events",
      shortNames: ["ev"], hasStatus: false,
      columns: [
        .field("Type", "type", description: "Normal or Warning."),
        .field("Reason", "reason", description: "What happened, in a word."),
        Column("Object", "What it happened to.") { object in
          let about = object["involvedObject"] ?? .null
          let kind = about["kind"]?.stringValue ?? ""
          return .string("\(kind.lowercased())/\(about["name"]?.stringValue ?? "")")
        },
        .field("Message", "message", description: "What happened."),
      ]),
    APIResource(
      kind: .controllerRevision, versions: ["v1"], plural: "controllerrevisions",
      hasStatus: false, isReadOnly: true,
      columns: [
        Column("Controller", "The object that it is a generation of.") { revision in
          let owner = revision.metadata["ownerReferences"]?[0] ?? .null
          let group = owner["apiVersion"]?.stringValue?.split(separator: "/").dropLast().first ?? ""
          let kind = owner["kind"]?.stringValue?.lowercased() ?? ""
          return .string(
            (group.isEmpty ? kind : "\(kind).\(group)") + "/\(owner["name"]?.stringValue ?? "")")
        },
        .field("Revision", "revision", description: "Which generation, counted from 1."),
        .field(
          "Who", "metadata", "annotations", ControllerRevision.manager,
          description: "The field manager that made it."),
        .field(
          "Result", "metadata", "annotations", ControllerRevision.result,
          description: "What became of it."),
      ]),
    APIResource(
      kind: .customResourceDefinition, versions: ["v1"], plural: "customresourcedefinitions",
      shortNames: ["crd", "crds"], isNamespaced: false, isReadOnly: true,
      columns: [
        .field(
          "Created At", "metadata", "creationTimestamp", description: "When the server started.")
      ]),
  ]
}
