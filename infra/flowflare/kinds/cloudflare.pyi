"""The classes in use of `pulumi_cloudflare`, for mypy; `make docs` writes this file."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

class D1Database(pulumi.CustomResource):
    def __init__(
        self,
        resource_name: str,
        *,
        opts: pulumi.ResourceOptions | None = ...,
        account_id: pulumi.Input[str | None] = ...,
        fields: pulumi.Input[Sequence[pulumi.Input[str]] | None] = ...,
        jurisdiction: pulumi.Input[str | None] = ...,
        name: pulumi.Input[str | None] = ...,
        primary_location_hint: pulumi.Input[str | None] = ...,
        read_replication: pulumi.Input[Any | None] = ...,
    ) -> None: ...
    account_id: pulumi.Output[str]
    created_at: pulumi.Output[str]
    fields: pulumi.Output[Sequence[str] | None]
    file_size: pulumi.Output[float]
    jurisdiction: pulumi.Output[str | None]
    name: pulumi.Output[str]
    num_tables: pulumi.Output[float]
    primary_location_hint: pulumi.Output[str | None]
    read_replication: pulumi.Output[Any]
    uuid: pulumi.Output[str]
    version: pulumi.Output[str]

class HyperdriveConfig(pulumi.CustomResource):
    def __init__(
        self,
        resource_name: str,
        *,
        opts: pulumi.ResourceOptions | None = ...,
        account_id: pulumi.Input[str | None] = ...,
        caching: pulumi.Input[Any | None] = ...,
        integration: pulumi.Input[str | None] = ...,
        mtls: pulumi.Input[Any | None] = ...,
        name: pulumi.Input[str | None] = ...,
        origin: pulumi.Input[Any | None] = ...,
        origin_connection_limit: pulumi.Input[int | None] = ...,
    ) -> None: ...
    account_id: pulumi.Output[str]
    caching: pulumi.Output[Any | None]
    created_on: pulumi.Output[str]
    integration: pulumi.Output[str | None]
    modified_on: pulumi.Output[str]
    mtls: pulumi.Output[Any | None]
    name: pulumi.Output[str]
    origin: pulumi.Output[Any | None]
    origin_connection_limit: pulumi.Output[int | None]
    restarted_on: pulumi.Output[str]

class Queue(pulumi.CustomResource):
    def __init__(
        self,
        resource_name: str,
        *,
        opts: pulumi.ResourceOptions | None = ...,
        account_id: pulumi.Input[str | None] = ...,
        jurisdiction: pulumi.Input[str | None] = ...,
        queue_name: pulumi.Input[str | None] = ...,
        settings: pulumi.Input[Any | None] = ...,
    ) -> None: ...
    account_id: pulumi.Output[str]
    consumers: pulumi.Output[Sequence[Any]]
    consumers_total_count: pulumi.Output[float]
    created_on: pulumi.Output[str]
    jurisdiction: pulumi.Output[str | None]
    modified_on: pulumi.Output[str]
    producers: pulumi.Output[Sequence[Any]]
    producers_total_count: pulumi.Output[float]
    queue_id: pulumi.Output[str]
    queue_name: pulumi.Output[str]
    settings: pulumi.Output[Any]

class QueueConsumer(pulumi.CustomResource):
    def __init__(
        self,
        resource_name: str,
        *,
        opts: pulumi.ResourceOptions | None = ...,
        account_id: pulumi.Input[str | None] = ...,
        dead_letter_queue: pulumi.Input[str | None] = ...,
        queue_id: pulumi.Input[str | None] = ...,
        script_name: pulumi.Input[str | None] = ...,
        settings: pulumi.Input[Any | None] = ...,
        type: pulumi.Input[str | None] = ...,
    ) -> None: ...
    account_id: pulumi.Output[str]
    consumer_id: pulumi.Output[str]
    created_on: pulumi.Output[str]
    dead_letter_queue: pulumi.Output[str | None]
    queue_id: pulumi.Output[str]
    queue_name: pulumi.Output[str]
    script_name: pulumi.Output[str]
    settings: pulumi.Output[Any]
    type: pulumi.Output[str]

class R2Bucket(pulumi.CustomResource):
    def __init__(
        self,
        resource_name: str,
        *,
        opts: pulumi.ResourceOptions | None = ...,
        account_id: pulumi.Input[str | None] = ...,
        jurisdiction: pulumi.Input[str | None] = ...,
        location: pulumi.Input[str | None] = ...,
        name: pulumi.Input[str | None] = ...,
        storage_class: pulumi.Input[str | None] = ...,
    ) -> None: ...
    account_id: pulumi.Output[str]
    creation_date: pulumi.Output[str]
    jurisdiction: pulumi.Output[str]
    location: pulumi.Output[str]
    name: pulumi.Output[str]
    storage_class: pulumi.Output[str]

class WorkersCronTrigger(pulumi.CustomResource):
    def __init__(
        self,
        resource_name: str,
        *,
        opts: pulumi.ResourceOptions | None = ...,
        account_id: pulumi.Input[str | None] = ...,
        schedules: pulumi.Input[
            Sequence[pulumi.Input[WorkersCronTriggerScheduleArgs]] | None
        ] = ...,
        script_name: pulumi.Input[str | None] = ...,
    ) -> None: ...
    account_id: pulumi.Output[str]
    schedules: pulumi.Output[Sequence[Any]]
    script_name: pulumi.Output[str]

class WorkersCronTriggerScheduleArgs:
    def __init__(
        self,
        *,
        cron: pulumi.Input[str],
        created_on: pulumi.Input[str | None] = ...,
        modified_on: pulumi.Input[str | None] = ...,
    ) -> None: ...

class WorkersCustomDomain(pulumi.CustomResource):
    def __init__(
        self,
        resource_name: str,
        *,
        opts: pulumi.ResourceOptions | None = ...,
        account_id: pulumi.Input[str | None] = ...,
        environment: pulumi.Input[str | None] = ...,
        hostname: pulumi.Input[str | None] = ...,
        service: pulumi.Input[str | None] = ...,
        zone_id: pulumi.Input[str | None] = ...,
        zone_name: pulumi.Input[str | None] = ...,
    ) -> None: ...
    account_id: pulumi.Output[str]
    cert_id: pulumi.Output[str]
    environment: pulumi.Output[str]
    hostname: pulumi.Output[str]
    service: pulumi.Output[str]
    zone_id: pulumi.Output[str]
    zone_name: pulumi.Output[str]

class WorkersKvNamespace(pulumi.CustomResource):
    def __init__(
        self,
        resource_name: str,
        *,
        opts: pulumi.ResourceOptions | None = ...,
        account_id: pulumi.Input[str | None] = ...,
        jurisdiction: pulumi.Input[str | None] = ...,
        mode: pulumi.Input[str | None] = ...,
        title: pulumi.Input[str | None] = ...,
    ) -> None: ...
    account_id: pulumi.Output[str]
    jurisdiction: pulumi.Output[str | None]
    mode: pulumi.Output[str | None]
    supports_url_encoding: pulumi.Output[bool]
    title: pulumi.Output[str]

class WorkersRoute(pulumi.CustomResource):
    def __init__(
        self,
        resource_name: str,
        *,
        opts: pulumi.ResourceOptions | None = ...,
        pattern: pulumi.Input[str | None] = ...,
        script: pulumi.Input[str | None] = ...,
        zone_id: pulumi.Input[str | None] = ...,
    ) -> None: ...
    pattern: pulumi.Output[str]
    script: pulumi.Output[str | None]
    zone_id: pulumi.Output[str]

class WorkersScript(pulumi.CustomResource):
    def __init__(
        self,
        resource_name: str,
        *,
        opts: pulumi.ResourceOptions | None = ...,
        account_id: pulumi.Input[str | None] = ...,
        annotations: pulumi.Input[Any | None] = ...,
        assets: pulumi.Input[Any | None] = ...,
        bindings: pulumi.Input[Sequence[pulumi.Input[WorkersScriptBindingArgs]] | None] = ...,
        bindings_inherit: pulumi.Input[str | None] = ...,
        body_part: pulumi.Input[str | None] = ...,
        cache_options: pulumi.Input[Any | None] = ...,
        compatibility_date: pulumi.Input[str | None] = ...,
        compatibility_flags: pulumi.Input[Sequence[pulumi.Input[str]] | None] = ...,
        content: pulumi.Input[str | None] = ...,
        content_file: pulumi.Input[str | None] = ...,
        content_sha256: pulumi.Input[str | None] = ...,
        content_type: pulumi.Input[str | None] = ...,
        exports: pulumi.Input[Mapping[str, pulumi.Input[Any]] | None] = ...,
        files: pulumi.Input[Mapping[str, pulumi.Input[Any]] | None] = ...,
        force: pulumi.Input[bool | None] = ...,
        keep_assets: pulumi.Input[bool | None] = ...,
        keep_bindings: pulumi.Input[Sequence[pulumi.Input[str]] | None] = ...,
        limits: pulumi.Input[Any | None] = ...,
        logpush: pulumi.Input[bool | None] = ...,
        main_module: pulumi.Input[str | None] = ...,
        migrations: pulumi.Input[Any | None] = ...,
        observability: pulumi.Input[Any | None] = ...,
        package_dependencies: pulumi.Input[Sequence[pulumi.Input[Any]] | None] = ...,
        placement: pulumi.Input[Any | None] = ...,
        script_name: pulumi.Input[str | None] = ...,
        tail_consumers: pulumi.Input[Sequence[pulumi.Input[Any]] | None] = ...,
        usage_model: pulumi.Input[str | None] = ...,
    ) -> None: ...
    account_id: pulumi.Output[str]
    annotations: pulumi.Output[Any]
    assets: pulumi.Output[Any | None]
    bindings: pulumi.Output[Sequence[Any]]
    bindings_inherit: pulumi.Output[str | None]
    body_part: pulumi.Output[str]
    cache_options: pulumi.Output[Any | None]
    compatibility_date: pulumi.Output[str]
    compatibility_flags: pulumi.Output[Sequence[str]]
    content: pulumi.Output[str | None]
    content_file: pulumi.Output[str | None]
    content_sha256: pulumi.Output[str | None]
    content_type: pulumi.Output[str | None]
    created_on: pulumi.Output[str]
    etag: pulumi.Output[str]
    exports: pulumi.Output[Mapping[str, Any] | None]
    files: pulumi.Output[Mapping[str, Any] | None]
    force: pulumi.Output[bool | None]
    handlers: pulumi.Output[Sequence[str]]
    has_assets: pulumi.Output[bool]
    has_modules: pulumi.Output[bool]
    keep_assets: pulumi.Output[bool | None]
    keep_bindings: pulumi.Output[Sequence[str] | None]
    last_deployed_from: pulumi.Output[str]
    limits: pulumi.Output[Any | None]
    logpush: pulumi.Output[bool]
    main_module: pulumi.Output[str | None]
    migration_tag: pulumi.Output[str]
    migrations: pulumi.Output[Any | None]
    modified_on: pulumi.Output[str]
    named_handlers: pulumi.Output[Sequence[Any]]
    observability: pulumi.Output[Any | None]
    package_dependencies: pulumi.Output[Sequence[Any] | None]
    placement: pulumi.Output[Any]
    placement_mode: pulumi.Output[str]
    placement_status: pulumi.Output[str]
    script_name: pulumi.Output[str]
    startup_time_ms: pulumi.Output[int]
    tail_consumers: pulumi.Output[Sequence[Any]]
    usage_model: pulumi.Output[str]

class WorkersScriptBindingArgs:
    def __init__(
        self,
        *,
        name: pulumi.Input[str],
        type: pulumi.Input[str],
        algorithm: pulumi.Input[str | None] = ...,
        allowed_destination_addresses: pulumi.Input[Sequence[pulumi.Input[str]] | None] = ...,
        allowed_sender_addresses: pulumi.Input[Sequence[pulumi.Input[str]] | None] = ...,
        app_id: pulumi.Input[str | None] = ...,
        bucket_name: pulumi.Input[str | None] = ...,
        certificate_id: pulumi.Input[str | None] = ...,
        class_name: pulumi.Input[str | None] = ...,
        database_id: pulumi.Input[str | None] = ...,
        dataset: pulumi.Input[str | None] = ...,
        destination_address: pulumi.Input[str | None] = ...,
        dispatch_namespace: pulumi.Input[str | None] = ...,
        entrypoint: pulumi.Input[str | None] = ...,
        environment: pulumi.Input[str | None] = ...,
        format: pulumi.Input[str | None] = ...,
        id: pulumi.Input[str | None] = ...,
        index_name: pulumi.Input[str | None] = ...,
        instance_name: pulumi.Input[str | None] = ...,
        json: pulumi.Input[str | None] = ...,
        jurisdiction: pulumi.Input[str | None] = ...,
        key_base64: pulumi.Input[str | None] = ...,
        key_jwk: pulumi.Input[str | None] = ...,
        namespace: pulumi.Input[str | None] = ...,
        namespace_id: pulumi.Input[str | None] = ...,
        network_id: pulumi.Input[str | None] = ...,
        old_name: pulumi.Input[str | None] = ...,
        outbound: pulumi.Input[Any | None] = ...,
        part: pulumi.Input[str | None] = ...,
        pipeline: pulumi.Input[str | None] = ...,
        queue_name: pulumi.Input[str | None] = ...,
        retry: pulumi.Input[Any | None] = ...,
        script_name: pulumi.Input[str | None] = ...,
        secret_name: pulumi.Input[str | None] = ...,
        service: pulumi.Input[str | None] = ...,
        service_id: pulumi.Input[str | None] = ...,
        simple: pulumi.Input[Any | None] = ...,
        store_id: pulumi.Input[str | None] = ...,
        stream: pulumi.Input[str | None] = ...,
        text: pulumi.Input[str | None] = ...,
        tunnel_id: pulumi.Input[str | None] = ...,
        usages: pulumi.Input[Sequence[pulumi.Input[str]] | None] = ...,
        version_id: pulumi.Input[str | None] = ...,
        workflow_name: pulumi.Input[str | None] = ...,
    ) -> None: ...

class WorkersScriptSubdomain(pulumi.CustomResource):
    def __init__(
        self,
        resource_name: str,
        *,
        opts: pulumi.ResourceOptions | None = ...,
        account_id: pulumi.Input[str | None] = ...,
        enabled: pulumi.Input[bool | None] = ...,
        previews_enabled: pulumi.Input[bool | None] = ...,
        script_name: pulumi.Input[str | None] = ...,
    ) -> None: ...
    account_id: pulumi.Output[str]
    enabled: pulumi.Output[bool]
    previews_enabled: pulumi.Output[bool]
    script_name: pulumi.Output[str]

class Workflow(pulumi.CustomResource):
    def __init__(
        self,
        resource_name: str,
        *,
        opts: pulumi.ResourceOptions | None = ...,
        account_id: pulumi.Input[str | None] = ...,
        class_name: pulumi.Input[str | None] = ...,
        concurrency: pulumi.Input[Any | None] = ...,
        default_retention: pulumi.Input[Any | None] = ...,
        limits: pulumi.Input[Any | None] = ...,
        schedules: pulumi.Input[Sequence[pulumi.Input[Any]] | None] = ...,
        script_name: pulumi.Input[str | None] = ...,
        workflow_name: pulumi.Input[str | None] = ...,
    ) -> None: ...
    account_id: pulumi.Output[str]
    class_name: pulumi.Output[str]
    concurrency: pulumi.Output[Any | None]
    created_on: pulumi.Output[str]
    default_retention: pulumi.Output[Any | None]
    instances: pulumi.Output[Mapping[str, float]]
    is_deleted: pulumi.Output[float]
    limits: pulumi.Output[Any | None]
    modified_on: pulumi.Output[str]
    name: pulumi.Output[str]
    schedules: pulumi.Output[Sequence[Any] | None]
    script_deleted: pulumi.Output[bool]
    script_name: pulumi.Output[str]
    terminator_running: pulumi.Output[float]
    triggered_on: pulumi.Output[str]
    version_id: pulumi.Output[str]
    workflow_name: pulumi.Output[str]
