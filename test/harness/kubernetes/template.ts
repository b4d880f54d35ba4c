/** The fields of a pod template that the manifests use; a test checks that they use no others. */

export interface SecurityContext {
  readonly privileged?: boolean
  readonly allowPrivilegeEscalation?: boolean
  readonly readOnlyRootFilesystem?: boolean
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly runAsNonRoot?: boolean
  readonly fsGroup?: number
  readonly seccompProfile?: { readonly type: string }
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] }
}

export interface ContainerTemplate {
  readonly name: string
  readonly image: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env?: readonly {
    readonly name: string
    readonly value?: string
    readonly valueFrom?: {
      readonly fieldRef?: { readonly fieldPath: string }
      readonly secretKeyRef?: { readonly name: string; readonly key: string }
    }
  }[]
  readonly securityContext?: SecurityContext
  readonly volumeMounts?: readonly {
    readonly name: string
    readonly mountPath: string
    readonly readOnly?: boolean
    readonly mountPropagation?: string
  }[]
  readonly livenessProbe?: { readonly exec?: { readonly command: readonly string[] } }
}

export interface Volume {
  readonly name: string
  readonly hostPath?: { readonly path: string }
  readonly emptyDir?: object
  readonly secret?: { readonly secretName: string; readonly defaultMode?: number }
}

export interface PodTemplate {
  readonly hostPID?: boolean
  readonly hostNetwork?: boolean
  readonly securityContext?: SecurityContext
  readonly initContainers?: readonly ContainerTemplate[]
  readonly containers: readonly ContainerTemplate[]
  readonly volumes?: readonly Volume[]
}
