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
    @property
    def account_id(self) -> pulumi.Output[str]: ...
    @property
    def created_at(self) -> pulumi.Output[str]: ...
    @property
    def fields(self) -> pulumi.Output[Sequence[str] | None]: ...
    @property
    def file_size(self) -> pulumi.Output[float]: ...
    @property
    def jurisdiction(self) -> pulumi.Output[str | None]: ...
    @property
    def name(self) -> pulumi.Output[str]: ...
    @property
    def num_tables(self) -> pulumi.Output[float]: ...
    @property
    def primary_location_hint(self) -> pulumi.Output[str | None]: ...
    @property
    def read_replication(self) -> pulumi.Output[Any]: ...
    @property
    def uuid(self) -> pulumi.Output[str]: ...
    @property
    def version(self) -> pulumi.Output[str]: ...

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
    @property
    def account_id(self) -> pulumi.Output[str]: ...
    @property
    def caching(self) -> pulumi.Output[Any | None]: ...
    @property
    def created_on(self) -> pulumi.Output[str]: ...
    @property
    def integration(self) -> pulumi.Output[str | None]: ...
    @property
    def modified_on(self) -> pulumi.Output[str]: ...
    @property
    def mtls(self) -> pulumi.Output[Any | None]: ...
    @property
    def name(self) -> pulumi.Output[str]: ...
    @property
    def origin(self) -> pulumi.Output[Any | None]: ...
    @property
    def origin_connection_limit(self) -> pulumi.Output[int | None]: ...
    @property
    def restarted_on(self) -> pulumi.Output[str]: ...

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
    @property
    def account_id(self) -> pulumi.Output[str]: ...
    @property
    def consumers(self) -> pulumi.Output[Sequence[Any]]: ...
    @property
    def consumers_total_count(self) -> pulumi.Output[float]: ...
    @property
    def created_on(self) -> pulumi.Output[str]: ...
    @property
    def jurisdiction(self) -> pulumi.Output[str | None]: ...
    @property
    def modified_on(self) -> pulumi.Output[str]: ...
    @property
    def producers(self) -> pulumi.Output[Sequence[Any]]: ...
    @property
    def producers_total_count(self) -> pulumi.Output[float]: ...
    @property
    def queue_id(self) -> pulumi.Output[str]: ...
    @property
    def queue_name(self) -> pulumi.Output[str]: ...
    @property
    def settings(self) -> pulumi.Output[Any]: ...

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
    @property
    def account_id(self) -> pulumi.Output[str]: ...
    @property
    def consumer_id(self) -> pulumi.Output[str]: ...
    @property
    def created_on(self) -> pulumi.Output[str]: ...
    @property
    def dead_letter_queue(self) -> pulumi.Output[str | None]: ...
    @property
    def queue_id(self) -> pulumi.Output[str]: ...
    @property
    def queue_name(self) -> pulumi.Output[str]: ...
    @property
    def script_name(self) -> pulumi.Output[str]: ...
    @property
    def settings(self) -> pulumi.Output[Any]: ...
    @property
    def type(self) -> pulumi.Output[str]: ...

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
    @property
    def account_id(self) -> pulumi.Output[str]: ...
    @property
    def creation_date(self) -> pulumi.Output[str]: ...
    @property
    def jurisdiction(self) -> pulumi.Output[str]: ...
    @property
    def location(self) -> pulumi.Output[str]: ...
    @property
    def name(self) -> pulumi.Output[str]: ...
    @property
    def storage_class(self) -> pulumi.Output[str]: ...

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
    @property
    def account_id(self) -> pulumi.Output[str]: ...
    @property
    def schedules(self) -> pulumi.Output[Sequence[Any]]: ...
    @property
    def script_name(self) -> pulumi.Output[str]: ...

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
    @property
    def account_id(self) -> pulumi.Output[str]: ...
    @property
    def cert_id(self) -> pulumi.Output[str]: ...
    @property
    def environment(self) -> pulumi.Output[str]: ...
    @property
    def hostname(self) -> pulumi.Output[str]: ...
    @property
    def service(self) -> pulumi.Output[str]: ...
    @property
    def zone_id(self) -> pulumi.Output[str]: ...
    @property
    def zone_name(self) -> pulumi.Output[str]: ...

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
    @property
    def account_id(self) -> pulumi.Output[str]: ...
    @property
    def jurisdiction(self) -> pulumi.Output[str | None]: ...
    @property
    def mode(self) -> pulumi.Output[str | None]: ...
    @property
    def supports_url_encoding(self) -> pulumi.Output[bool]: ...
    @property
    def title(self) -> pulumi.Output[str]: ...

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
    @property
    def pattern(self) -> pulumi.Output[str]: ...
    @property
    def script(self) -> pulumi.Output[str | None]: ...
    @property
    def zone_id(self) -> pulumi.Output[str]: ...

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
    @property
    def account_id(self) -> pulumi.Output[str]: ...
    @property
    def annotations(self) -> pulumi.Output[Any]: ...
    @property
    def assets(self) -> pulumi.Output[Any | None]: ...
    @property
    def bindings(self) -> pulumi.Output[Sequence[Any]]: ...
    @property
    def bindings_inherit(self) -> pulumi.Output[str | None]: ...
    @property
    def body_part(self) -> pulumi.Output[str]: ...
    @property
    def cache_options(self) -> pulumi.Output[Any | None]: ...
    @property
    def compatibility_date(self) -> pulumi.Output[str]: ...
    @property
    def compatibility_flags(self) -> pulumi.Output[Sequence[str]]: ...
    @property
    def content(self) -> pulumi.Output[str | None]: ...
    @property
    def content_file(self) -> pulumi.Output[str | None]: ...
    @property
    def content_sha256(self) -> pulumi.Output[str | None]: ...
    @property
    def content_type(self) -> pulumi.Output[str | None]: ...
    @property
    def created_on(self) -> pulumi.Output[str]: ...
    @property
    def etag(self) -> pulumi.Output[str]: ...
    @property
    def exports(self) -> pulumi.Output[Mapping[str, Any] | None]: ...
    @property
    def files(self) -> pulumi.Output[Mapping[str, Any] | None]: ...
    @property
    def force(self) -> pulumi.Output[bool | None]: ...
    @property
    def handlers(self) -> pulumi.Output[Sequence[str]]: ...
    @property
    def has_assets(self) -> pulumi.Output[bool]: ...
    @property
    def has_modules(self) -> pulumi.Output[bool]: ...
    @property
    def keep_assets(self) -> pulumi.Output[bool | None]: ...
    @property
    def keep_bindings(self) -> pulumi.Output[Sequence[str] | None]: ...
    @property
    def last_deployed_from(self) -> pulumi.Output[str]: ...
    @property
    def limits(self) -> pulumi.Output[Any | None]: ...
    @property
    def logpush(self) -> pulumi.Output[bool]: ...
    @property
    def main_module(self) -> pulumi.Output[str | None]: ...
    @property
    def migration_tag(self) -> pulumi.Output[str]: ...
    @property
    def migrations(self) -> pulumi.Output[Any | None]: ...
    @property
    def modified_on(self) -> pulumi.Output[str]: ...
    @property
    def named_handlers(self) -> pulumi.Output[Sequence[Any]]: ...
    @property
    def observability(self) -> pulumi.Output[Any | None]: ...
    @property
    def package_dependencies(self) -> pulumi.Output[Sequence[Any] | None]: ...
    @property
    def placement(self) -> pulumi.Output[Any]: ...
    @property
    def placement_mode(self) -> pulumi.Output[str]: ...
    @property
    def placement_status(self) -> pulumi.Output[str]: ...
    @property
    def script_name(self) -> pulumi.Output[str]: ...
    @property
    def startup_time_ms(self) -> pulumi.Output[int]: ...
    @property
    def tail_consumers(self) -> pulumi.Output[Sequence[Any]]: ...
    @property
    def usage_model(self) -> pulumi.Output[str]: ...

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
    @property
    def account_id(self) -> pulumi.Output[str]: ...
    @property
    def enabled(self) -> pulumi.Output[bool]: ...
    @property
    def previews_enabled(self) -> pulumi.Output[bool]: ...
    @property
    def script_name(self) -> pulumi.Output[str]: ...

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
    @property
    def account_id(self) -> pulumi.Output[str]: ...
    @property
    def class_name(self) -> pulumi.Output[str]: ...
    @property
    def concurrency(self) -> pulumi.Output[Any | None]: ...
    @property
    def created_on(self) -> pulumi.Output[str]: ...
    @property
    def default_retention(self) -> pulumi.Output[Any | None]: ...
    @property
    def instances(self) -> pulumi.Output[Mapping[str, float]]: ...
    @property
    def is_deleted(self) -> pulumi.Output[float]: ...
    @property
    def limits(self) -> pulumi.Output[Any | None]: ...
    @property
    def modified_on(self) -> pulumi.Output[str]: ...
    @property
    def name(self) -> pulumi.Output[str]: ...
    @property
    def schedules(self) -> pulumi.Output[Sequence[Any] | None]: ...
    @property
    def script_deleted(self) -> pulumi.Output[bool]: ...
    @property
    def script_name(self) -> pulumi.Output[str]: ...
    @property
    def terminator_running(self) -> pulumi.Output[float]: ...
    @property
    def triggered_on(self) -> pulumi.Output[str]: ...
    @property
    def version_id(self) -> pulumi.Output[str]: ...
    @property
    def workflow_name(self) -> pulumi.Output[str]: ...
