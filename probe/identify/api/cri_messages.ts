/**
 * The part of the Kubernetes Container Runtime Interface that is asked: names and numbers of fields as in k8s.io/cri-api,
 * pkg/apis/runtime/v1/api.proto. Protobuf passes over the fields that are not here.
 */

type Fields = Readonly<Record<string, { id: number; type: string; rule?: 'repeated'; keyType?: string }>>

const message = (fields: Fields) => ({ fields })
const text = (id: number) => ({ id, type: 'string' })
const number = (id: number) => ({ id, type: 'int32' })
const labels = (id: number) => ({ id, type: 'string', keyType: 'string' })
const one = (type: string, id: number) => ({ id, type })
const many = (type: string, id: number) => ({ id, type, rule: 'repeated' as const })

/** In protobuf.js' JSON form, so that it needs no file of its own beside the compiled program. */
export const CRI = {
  nested: {
    runtime: {
      nested: {
        v1: {
          nested: {
            RuntimeService: {
              methods: {
                ListContainers: { requestType: 'Everything', responseType: 'Containers' },
                ListPodSandbox: { requestType: 'Everything', responseType: 'Sandboxes' },
                GetContainerEvents: {
                  requestType: 'Everything',
                  responseType: 'Event',
                  responseStream: true,
                },
              },
            },
            /** Of every list: without a filter. */
            Everything: message({}),
            Containers: message({ containers: many('Container', 1) }),
            Container: message({
              id: text(1),
              pod_sandbox_id: text(2),
              metadata: one('ContainerMetadata', 3),
              image: one('Image', 4),
              state: number(6), // enum ContainerState
            }),
            ContainerMetadata: message({ name: text(1) }),
            Image: message({ image: text(1), user_specified_image: text(18) }),
            Sandboxes: message({ items: many('Sandbox', 1) }),
            Sandbox: message({
              id: text(1),
              metadata: one('SandboxMetadata', 2),
              state: number(3), // enum PodSandboxState
              labels: labels(5),
            }),
            SandboxMetadata: message({ name: text(1), uid: text(2), namespace: text(3) }),
            Event: message({ container_id: text(1) }),
          },
        },
      },
    },
  },
}

/** enum ContainerState */
export const CONTAINER_RUNNING = 1
/** enum PodSandboxState */
export const SANDBOX_READY = 0

export interface CriContainer {
  readonly id: string
  readonly pod_sandbox_id: string
  readonly metadata: { readonly name: string } | null
  readonly image: { readonly image: string; readonly user_specified_image: string } | null
  readonly state: number
}

export interface CriSandbox {
  readonly id: string
  readonly metadata: { readonly name: string; readonly uid: string; readonly namespace: string } | null
  readonly state: number
  readonly labels: Readonly<Record<string, string>>
}
