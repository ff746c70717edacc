{{/* The pod, of the StatefulSet and of the Deployment alike. */}}
{{- define "sidecar.pod" -}}
{{- $name := include "sidecar.fullname" . -}}
{{- $drain := include "sidecar.drain" . | int -}}
metadata:
  labels:
    {{- include "sidecar.selector" . | nindent 4 }}
    {{- with .Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    # Changed settings are read at the start: another checksum is another pod.
    checksum/settings: {{ printf "%s\n%s" .Values.settings .Values.reactions | sha256sum }}
    {{- with .Values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  terminationGracePeriodSeconds: {{ add (int .Values.preStopSeconds) $drain (int .Values.closeSeconds) }}
  automountServiceAccountToken: false
  {{- with .Values.serviceAccount.name }}
  serviceAccountName: {{ . }}
  {{- end }}
  enableServiceLinks: false
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- if .Values.hostNetwork }}
  hostNetwork: true
  dnsPolicy: ClusterFirstWithHostNet
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  {{- if .Values.topologySpread.enabled }}
  topologySpreadConstraints:
    {{- $labels := include "sidecar.selector" . }}
    {{- range .Values.topologySpread.keys }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- $labels | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- if eq .Values.feed "ray" }}
  initContainers:
    # The server speaks to Ray through a node of its own pod, which takes no rooms. It starts before
    # the server and ends after it.
    - name: ray
      restartPolicy: Always
      image: {{ include "sidecar.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      command: [python, -m, ray.scripts.scripts, start]
      args: [--address, {{ .Values.ray.address | quote }}, --num-cpus=0, --block]
      env:
        - {name: HOME, value: /tmp}
        - {name: RAY_USAGE_STATS_ENABLED, value: "0"}
      startupProbe:
        exec:
          command:
            - python
            - -c
            - import os, sys; sys.exit(not os.path.exists("/tmp/ray/session_latest/sockets/raylet"))
        periodSeconds: 2
        timeoutSeconds: 5
        failureThreshold: 60
      resources:
        requests: {cpu: 250m, memory: 1Gi}
        limits: {memory: 1Gi}
      securityContext:
        {{- include "sidecar.rights" . | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        - {name: shared, mountPath: /dev/shm}
  {{- end }}
  containers:
    - name: sidecar
      image: {{ include "sidecar.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      {{- if eq .Values.feed "ray" }}
      command: [sidecar]
      {{- end }}
      args:
        - serve
        {{- if eq .Values.feed "ray" }}
        - --engine
        - ray
        {{- end }}
      env:
        - name: SIDECAR_CONFIG
          value: /etc/reaction-sidecar/sidecar.toml
        {{- if .Values.reactions }}
        - name: SIDECAR_REACTIONS
          value: /etc/reaction-sidecar/reactions.toml
        {{- end }}
        - name: SIDECAR_SERVER__HOST
          value: 0.0.0.0
        - name: SIDECAR_SERVER__PORT
          value: "8080"
        - name: SIDECAR_SERVER__ORIGINS
          value: {{ include "sidecar.origins" . | quote }}
        - name: SIDECAR_SERVE__CORES
          value: {{ .Values.cores | quote }}
        - name: SIDECAR_SERVE__DRAIN_TIMEOUT
          value: {{ $drain | quote }}
        - name: SIDECAR_SERVE__DATA_FOLDER
          value: /data/serve
        - name: SIDECAR_SERVE__JOURNAL
          value: /data/rooms.db
        - name: SIDECAR_SERVE__TOKEN_FILE
          value: /run/secrets/reaction-sidecar/tokens
        - name: SIDECAR_SERVE__SECRETS_FOLDER
          value: /run/secrets/reaction-sidecar
        {{- with .Values.secrets.journalKey }}
        - name: SIDECAR_SERVE__KEY_FILE
          value: /run/secrets/reaction-sidecar/{{ . }}
        {{- end }}
        {{- if eq .Values.feed "livekit" }}
        - name: SIDECAR_SERVE__LIVEKIT
          value: {{ dict "url" .Values.livekit.url "agent_name" .Values.livekit.agentName | toJson | quote }}
        {{- end }}
        {{- if eq .Values.feed "ray" }}
        - name: SIDECAR_SERVE__CLUSTER
          value: {{ dict "address" .Values.ray.address "namespace" .Values.ray.namespace | toJson | quote }}
        {{- end }}
        - name: HOME
          value: /tmp
        {{- with .Values.extraEnv }}{{ toYaml . | nindent 8 }}{{ end }}
      {{- with .Values.secrets.environment }}
      envFrom:
        - secretRef:
            name: {{ . }}
      {{- end }}
      ports:
        - name: http
          containerPort: 8080
          protocol: TCP
      startupProbe: # models are read, and workers begin
        httpGet: {path: /livez, port: http}
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /livez, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe: # 503 while it drains, and without a detection worker
        httpGet: {path: /readyz, port: http}
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 2
      lifecycle:
        preStop:
          sleep:
            seconds: {{ .Values.preStopSeconds }}
      resources:
        {{- if .Values.resources }}
        {{- toYaml .Values.resources | nindent 8 }}
        {{- else }}
        requests:
          cpu: {{ .Values.cores | quote }}
          memory: {{ .Values.memory }}
        limits:
          cpu: {{ .Values.cores | quote }}
          memory: {{ .Values.memory }}
        {{- end }}
      securityContext:
        {{- include "sidecar.rights" . | nindent 8 }}
      volumeMounts:
        - name: settings
          mountPath: /etc/reaction-sidecar
          readOnly: true
        - name: secrets
          mountPath: /run/secrets/reaction-sidecar
          readOnly: true
        - name: data
          mountPath: /data
        - name: tmp
          mountPath: /tmp
        {{- if eq .Values.feed "ray" }}
        - name: shared
          mountPath: /dev/shm
        {{- end }}
        {{- with .Values.extraVolumeMounts }}{{ toYaml . | nindent 8 }}{{ end }}
  volumes:
    - name: settings
      configMap:
        name: {{ $name }}-settings
    - name: secrets
      secret:
        secretName: {{ .Values.secrets.files }}
        defaultMode: 0440
    - name: tmp
      emptyDir:
        sizeLimit: {{ ternary "2Gi" "256Mi" (eq .Values.feed "ray") }}
    {{- if eq .Values.feed "ray" }}
    - name: shared # Ray's object store
      emptyDir:
        medium: Memory
        sizeLimit: 512Mi
    {{- end }}
    {{- if not (and (ne .Values.feed "livekit") .Values.persistence.enabled) }}
    - name: data
      emptyDir:
        sizeLimit: {{ .Values.persistence.size }}
    {{- end }}
    {{- with .Values.extraVolumes }}{{ toYaml . | nindent 4 }}{{ end }}
{{- end -}}

{{- define "sidecar.rights" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
