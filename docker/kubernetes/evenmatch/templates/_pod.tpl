{{/* What pods of all kinds have in common: the settings of the pod, its container and its volumes. */}}

{{- define "evenmatch.podSecurity" -}}
automountServiceAccountToken: false
# Without the variables that Kubernetes makes of Services: EVENMATCH_PORT is one of them.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "evenmatch.containerSecurity" -}}
image: {{ include "evenmatch.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  privileged: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{- define "evenmatch.mounts" -}}
- name: secrets
  mountPath: /run/secrets/evenmatch
  readOnly: true
- name: data
  mountPath: /data
- name: tmp
  mountPath: /tmp
{{- end -}}

{{/* Each key is named, so that a pod waits for one that is missing: without evenmatch_database_url, say, it would
     keep its decisions in a file of its own. */}}
{{- define "evenmatch.volumes" -}}
- name: secrets
  secret:
    secretName: {{ .Values.secret.name }}
    defaultMode: 0440
    items:
      {{- range concat (list "evenmatch_database_url" "evenmatch_log_key" "evenmatch_keys_secret") .Values.secret.more }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
- name: data
  emptyDir:
    sizeLimit: 1Gi
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: 64Mi
{{- end -}}

{{/* A pod that serves. Takes a dict: root, component, jobs (whether it scores batch jobs), resources. */}}
{{- define "evenmatch.servingPod" -}}
{{- $root := .root -}}
metadata:
  labels:
    {{- include "evenmatch.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
    evenmatch/serves: "true"
  annotations:
    # New settings are new pods.
    checksum/settings: {{ include (print $root.Template.BasePath "/settings.yaml") $root | sha256sum }}
    {{- with $root.Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "evenmatch.podSecurity" $root | nindent 2 }}
  # Leaving the Service, then open requests, then the queue, get their time one after the other.
  terminationGracePeriodSeconds: {{ add $root.Values.leaveSeconds (mul 2 $root.Values.drainSeconds) 15 }}
  topologySpreadConstraints:
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "evenmatch.selector" $root | nindent 10 }}
          app.kubernetes.io/component: {{ $.component }}
      # Of one version: old pods that are about to go do not count.
      matchLabelKeys: [pod-template-hash]
    {{- end }}
  containers:
    - name: evenmatch
      {{- include "evenmatch.containerSecurity" $root | nindent 6 }}
      args: [serve]
      envFrom:
        - configMapRef:
            name: {{ include "evenmatch.name" $root }}
      env:
        - name: EVENMATCH_JOBS_ENABLED
          value: {{ .jobs | quote }}
      ports:
        - name: http
          containerPort: 8000
      # The port opens when the model is loaded. Not readiness, which needs the database: a pod must not be
      # killed because that is away.
      startupProbe:
        httpGet: {path: /health/live, port: http}
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /health/live, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      # It runs a forward pass, which waits for the engine call in progress.
      readinessProbe:
        httpGet: {path: /health/ready, port: http}
        periodSeconds: 10
        timeoutSeconds: 10
        failureThreshold: 2
      lifecycle:
        preStop:
          exec:
            command: [sleep, {{ $root.Values.leaveSeconds | quote }}]
      resources:
        {{- toYaml .resources | nindent 8 }}
      volumeMounts:
        {{- include "evenmatch.mounts" $root | nindent 8 }}
  volumes:
    {{- include "evenmatch.volumes" $root | nindent 4 }}
{{- end -}}
