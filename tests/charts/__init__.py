"""The Helm chart and the kustomize manifests, rendered and held against Kubernetes' schemas.

A job of its own (`.ci/charts`), since it needs helm, kubeconform and kustomize, which Go builds.
"""
