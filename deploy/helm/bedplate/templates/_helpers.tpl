{{- define "bedplate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "bedplate.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "bedplate.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "bedplate.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "bedplate.selectorLabels" -}}
app.kubernetes.io/name: {{ include "bedplate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "bedplate.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "bedplate.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: bedplate
{{- end -}}

{{- define "bedplate.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "bedplate.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name: name the account the operator runs as, or set serviceAccount.create" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "bedplate.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "bedplate.tlsSecret" -}}
{{- if eq .Values.tls.mode "existingSecret" -}}
{{- required "tls.existingSecret: name the Secret with tls.crt, tls.key and ca.crt" .Values.tls.existingSecret -}}
{{- else -}}
{{- printf "%s-tls" (include "bedplate.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- define "bedplate.webhookName" -}}
{{- printf "%s-webhook" (include "bedplate.fullname" .) -}}
{{- end -}}

{{/* The names the listeners are asked under, the first one also by the operator's own workers. */}}
{{- define "bedplate.dnsNames" -}}
{{- $namespace := .Release.Namespace -}}
{{- range $name := list (include "bedplate.fullname" .) (include "bedplate.webhookName" .) }}
- {{ $name }}.{{ $namespace }}.svc
- {{ $name }}.{{ $namespace }}.svc.cluster.local
- {{ $name }}
{{- end -}}
{{- end -}}
