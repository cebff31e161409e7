"""`sampan up`: the whole platform in one terminal."""

import argparse
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sampan.ops import CannotStart
from sampan.ops.cli import DEFAULT_DATA
from sampan.ops.installation import Installation
from sampan.ops.logins import read_demo, simulator_account
from sampan.ops.ports import Address, refuse_taken_ports, wait_until_listening
from sampan.ops.postgres import EmbeddedPostgres
from sampan.ops.supervisor import Pids, Program, Supervisor, stopped_by_signals

LISTENING_WITHIN_S = 60.0
PREPARED_WITHIN_S = 300.0
STOP_WITHIN_S = 20.0
MOST_WEB_PROCESSES = 2


class Platform:
    """One run of the platform on one data folder."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._installation = Installation(Path(arguments.data or DEFAULT_DATA))
        self._host: str = arguments.host
        self._port: int = arguments.base_port
        self._demo: bool = not arguments.no_demo
        self._after_restore: bool = arguments.after_restore
        self._web_processes: int = arguments.web_processes or min(MOST_WEB_PROCESSES, os.cpu_count() or 1)
        self._time_scale: float = arguments.time_scale
        self._pids: Pids = {}
        self._is_ready = False
        self._writing = threading.Lock()  # over ready.json, its pids and whether it stands
        self.addresses: dict[str, Address] = {
            "web": (self._host, self._port),
            "smpp": (self._host, self._port + 1),
            "smtp": (self._host, self._port + 2),
            "simulator": (self._host, self._port + 3),
            "simulator's control": (self._host, self._port + 4),
            "metrics": (self._host, self._port + 5),
        }

    def run(self) -> None:
        """Start everything, tell where it is, and keep it running until a signal."""
        with stopped_by_signals():
            self._installation.make()
            with self._installation.locked() as lock:
                refuse_taken_ports(self.addresses)
                self._installation.forget_ready()
                with Supervisor(
                    on_change=self._note, held=(lock,), removed=(self._installation.ready_file,)
                ) as supervisor:
                    environment = self._database(supervisor)
                    self._prepare(environment)
                    for programs in self._stages(environment):
                        supervisor.start(*programs)
                    wait_until_listening(self.addresses, within_s=LISTENING_WITHIN_S)
                    self._become_ready(True)
                    sys.stdout.write(self._greeting())
                    sys.stdout.flush()
                    try:
                        supervisor.wait()
                    finally:
                        self._become_ready(False)

    def _database(self, supervisor: Supervisor) -> Mapping[str, str]:
        """The environment of all programs; starts the embedded PostgreSQL unless another is named."""
        self._installation.secret()
        url = os.environ.get("SAMPAN_DATABASE_URL")
        if not url:
            postgres = EmbeddedPostgres(self._installation.postgres_folder)
            postgres.start(supervisor)
            url = postgres.url()
        self._installation.write_database_url(url)
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "HOME", "TZ") if name in os.environ}
        reached = {"SAMPAN_PUBLIC_URL": f"http://{self._host}:{self._port}"}  # unless somebody says by which name
        given = {k: v for k, v in os.environ.items() if k.startswith("SAMPAN_")}
        return kept | reached | given | self._installation.environment()

    def _prepare(self, environment: Mapping[str, str]) -> None:
        argv = [sys.executable, "-m", "sampan", "prepare"]
        if self._demo:
            host, port = self.addresses["simulator"]
            argv += ["--demo", f"{host}:{port}"]
        if self._after_restore:
            argv.append("--after-restore")
        done = subprocess.run(
            argv, env=environment, timeout=PREPARED_WITHIN_S, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise CannotStart(
                f"The database cannot be brought up to date: {(done.stderr or done.stdout).strip()[-500:]}"
            )

    def _stages(self, environment: Mapping[str, str]) -> list[list[Program]]:
        """Started one after the other, stopped in the opposite order: doors first, links before the SMSC."""

        def program(name: str, *options: str, copies: int = 1) -> Program:
            argv = [sys.executable, "-m", "sampan", name, *options]
            return Program(name=name, argv=argv, environment=environment, copies=copies, stop_within_s=STOP_WITHIN_S)

        host, port, scale = self._host, self._port, f"{self._time_scale}"
        ports = ("--port", f"{port + 3}", "--control-port", f"{port + 4}")
        memory = str(self._installation.folder / "simulator.taken")
        metrics = ("--metrics-host", host, "--metrics-port", f"{port + 5}")
        plain = () if os.environ.get("SAMPAN_SMTP_CERTIFICATE") else ("--plain-on-loopback",)
        return [
            [program("simulator", "--host", host, *ports, "--time-scale", scale, "--memory", memory)],
            [program("gateway"), program("worker", *metrics), program("webhooks")],
            [
                program("smpp", "--host", host, "--port", f"{port + 1}"),
                program("smtp", "--host", host, "--port", f"{port + 2}", *plain),
                program("web", "--host", host, "--port", f"{port}", copies=self._web_processes),
            ],
        ]

    def _note(self, pids: Pids) -> None:
        """Something was started or has ended: ready.json stays true."""
        with self._writing:
            self._pids = pids
            if self._is_ready:
                self._installation.write_ready(self._ready())

    def _become_ready(self, is_ready: bool) -> None:
        with self._writing:
            self._is_ready = is_ready
            if is_ready:
                self._installation.write_ready(self._ready())
            else:
                self._installation.forget_ready()

    def _ready(self) -> dict[str, Any]:
        host, port = self._host, self._port
        pids: dict[str, Any] = {name: list(numbers) for name, numbers in self._pids.items()}
        if "postgres" in pids:
            pids["postgres"] = pids["postgres"][0] if pids["postgres"] else None
        system_id, password = simulator_account(self._installation.secret())
        ready: dict[str, Any] = {
            "web": f"http://{host}:{port}",
            "smpp": f"{host}:{port + 1}",
            "smtp": f"{host}:{port + 2}",
            "simulator": {
                "smpp": f"{host}:{port + 3}",
                "control": f"http://{host}:{port + 4}",
                "system_id": system_id,
                "password": password,
            },
            "metrics": f"http://{host}:{port + 5}/metrics",
            "pids": pids,
        }
        if demo := read_demo(self._installation.folder):
            ready["demo"] = demo
        return ready

    def _greeting(self) -> str:
        ready = self._ready()
        lines = ["", f"Sampan is up: {ready['web']}"]
        for who, login in (ready.get("demo") or {}).items():
            lines.append(f"  demo {who}: {login['username']} / {login['password']}")
        if self._after_restore:
            lines.append("  sending is HELD after the restore: look at what waits, then `sampan sending release`")
        mails = self._installation.folder / "mail"
        lines += [
            f"  SMPP for customers: {ready['smpp']}",
            f"  SMTP for customers: {ready['smtp']}",
            f"  simulator: SMPP on {ready['simulator']['smpp']}, control {ready['simulator']['control']}",
            f"  metrics: {ready['metrics']}",
            f"  mails: {'by SAMPAN_SMARTHOST' if os.environ.get('SAMPAN_SMARTHOST') else f'files in {mails}'}",
            "Ctrl-C stops it.",
            "",
        ]
        return "\n".join(lines) + "\n"


def up(arguments: argparse.Namespace) -> None:
    """Start the whole platform here and keep it running."""
    Platform(arguments).run()
