{{- define "sidecar.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "sidecar.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "sidecar.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "sidecar.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "sidecar.selector" -}}
app.kubernetes.io/name: {{ include "sidecar.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "sidecar.labels" -}}
{{ include "sidecar.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end -}}

{{- define "sidecar.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{- define "sidecar.drain" -}}
{{- if kindIs "invalid" .Values.drainTimeout -}}
{{ ternary 3600 30 (eq .Values.feed "livekit") }}
{{- else -}}
{{ int .Values.drainTimeout }}
{{- end -}}
{{- end -}}

{{- define "sidecar.kind" -}}
{{ ternary "Deployment" "StatefulSet" (eq .Values.feed "livekit") }}
{{- end -}}

{{/* The names by which clients may call: the server refuses every other Host header. */}}
{{- define "sidecar.origins" -}}
{{- $name := include "sidecar.fullname" . -}}
{{- $own := list $name (printf "%s.%s" $name .Release.Namespace) (printf "%s.%s.svc" $name .Release.Namespace) (printf "%s.%s.svc.cluster.local" $name .Release.Namespace) -}}
{{- $all := list -}}
{{- range $own -}}{{- $all = append $all (printf "http://%s" .) -}}{{- end -}}
{{ concat $all .Values.origins | toJson }}
{{- end -}}

{{/* Values that contradict each other, each with what to do. */}}
{{- define "sidecar.check" -}}
{{- $scaled := ne .Values.autoscaling.kind "none" -}}
{{- if and (ne .Values.feed "livekit") (gt (int .Values.replicas) 1) -}}
{{- fail (printf "replicas: the rooms' API is a pod's own, so feed=%s has one replica; several pods are fed by LiveKit's dispatch (feed=livekit), and a Ray cluster (feed=ray) takes more rooms by more nodes" .Values.feed) -}}
{{- end -}}
{{- if and (ne .Values.feed "livekit") $scaled -}}
{{- fail (printf "autoscaling.kind: the rooms' API is a pod's own, so feed=%s has one replica; use feed=livekit" .Values.feed) -}}
{{- end -}}
{{- if and (eq .Values.feed "livekit") (not .Values.livekit.url) -}}
{{- fail "livekit.url: feed=livekit needs the address of the LiveKit server, wss://livekit.example.com" -}}
{{- end -}}
{{- if and (eq .Values.feed "livekit") (not .Values.secrets.environment) -}}
{{- fail "secrets.environment: feed=livekit needs the name of a Secret with LIVEKIT_API_KEY and LIVEKIT_API_SECRET" -}}
{{- end -}}
{{- if and (eq .Values.feed "ray") (not .Values.ray.address) -}}
{{- fail "ray.address: feed=ray needs the address of the Ray head, HEAD:6379" -}}
{{- end -}}
{{- if and (eq .Values.feed "ray") (not .Values.secrets.journalKey) -}}
{{- fail "secrets.journalKey: feed=ray needs the key that all nodes have: what Ray is handed is sealed with it" -}}
{{- end -}}
{{- if and (eq .Values.autoscaling.kind "keda") (not .Values.autoscaling.prometheus) -}}
{{- fail "autoscaling.prometheus: kind=keda needs the address of Prometheus, http://prometheus.monitoring.svc:9090" -}}
{{- end -}}
{{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) -}}
{{- fail "autoscaling: minReplicas is above maxReplicas" -}}
{{- end -}}
{{- end -}}
