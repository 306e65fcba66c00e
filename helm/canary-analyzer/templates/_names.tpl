{{- define "canary-analyzer.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "canary-analyzer.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "canary-analyzer.name" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "canary-analyzer.configMap" -}}
{{- .Values.existingConfigMap | default (include "canary-analyzer.name" .) }}
{{- end }}

{{- define "canary-analyzer.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "canary-analyzer.labels" -}}
{{ include "canary-analyzer.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
