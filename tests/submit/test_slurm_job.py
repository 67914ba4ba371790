from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from crossic_etl.config.submit import Slurm, Submit
from crossic_etl.submit.follow import follow
from crossic_etl.submit.job import SubmitError, TrainingJob, UnreachableError
from crossic_etl.submit.slurm_job import SlurmJob
from tests.submit import slurm_cluster
from tests.support.commands import submit as submit_training
from tests.training.tiny import write_training

ROOT = Path(__file__).resolve().parents[2]
FOLLOWED = ("--platform", "slurm", "--wait", "--interval", "0.2")
SETTINGS = Slurm(
    partition="gpu", account="lab", cpus_per_node=64, options=("--mem=0",),
    setup=("module load cuda",), python="/opt/env/bin/python",
)  # fmt: skip


def test_the_script_asks_for_what_the_settings_say(job: Callable[..., TrainingJob]) -> None:
    given = job(nodes=2, gpus_per_node=8, hours=1.51, slurm=SETTINGS)
    lines = SlurmJob(given).render().splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        "#!/bin/bash",
        f"#SBATCH --job-name={given.name}",
        "#SBATCH --nodes=2",
        "#SBATCH --ntasks-per-node=1",
        "#SBATCH --gpus-per-node=8",
        "#SBATCH --cpus-per-task=64",
        "#SBATCH --time=91",
        "#SBATCH --partition=gpu",
        "#SBATCH --account=lab",
        "#SBATCH --output=%x-%j.log",
        "#SBATCH --mem=0",
    ]
    assert lines.index("module load cuda") < lines.index("export SRUN_CPUS_PER_TASK=64")
    assert lines[-1] == (
        "srun --kill-on-bad-exit=1 bash -c 'exec /opt/env/bin/python -m crossic_etl.submit.torchrun"
        ' --nnodes=2 --node-rank="$SLURM_NODEID" --master-addr="$MASTER_ADDR"'
        ' --master-port="$MASTER_PORT" --rdzv-conf=timeout=3600 --nproc-per-node=8'
        " -m crossic_etl.training"
        ' --config "$TRAINING_YAML"\''
    )


def test_what_is_not_set_is_left_to_the_cluster(job: Callable[..., TrainingJob]) -> None:
    script = SlurmJob(job(gpus_per_node=0)).render()
    for option in ("gpus", "cpus", "time", "partition", "account", "CPUS"):
        assert option not in script
    assert "--standalone --nproc-per-node=1" in script


@pytest.mark.parametrize("note", ["a b", "it's", '$HOME "x"', "`ls`", "ไทย 日本\nالعربية"])
def test_values_reach_the_shell_as_they_are(
    job: Callable[..., TrainingJob], tmp_path: Path, note: str
) -> None:
    text = f"output: {note!r} $HOME `ls`\n"
    script = SlurmJob(job(text, environment={"NOTE": note})).render()
    # All but the last line, which is srun, run as they stand; scontrol is the cluster's.
    (tmp_path / "scontrol").write_text("#!/bin/sh\necho node1\necho node2\n")
    (tmp_path / "scontrol").chmod(0o755)
    shown = 'printf %s "$NOTE" > note; printf %s "$MASTER_ADDR:$MASTER_PORT" > master'
    subprocess.run(
        ["bash", "-c", "\n".join([*script.splitlines()[:-1], shown])], cwd=tmp_path, check=True,
        env={
            "PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_SUBMIT_DIR": str(tmp_path),
            "SLURM_JOB_NAME": "n", "SLURM_JOB_ID": "12345", "SLURM_JOB_NODELIST": "node[1-2]",
        },
    )  # fmt: skip
    assert (tmp_path / "note").read_text() == note
    assert (tmp_path / "n-12345.yaml").read_text() == text
    assert (tmp_path / "master").read_text() == "node1:22345"


def test_a_configuration_cannot_end_its_own_quotation(job: Callable[..., TrainingJob]) -> None:
    given = SlurmJob(job("a: 1\nEND_OF_TRAINING_YAML\nrm -rf ~\n"))
    with pytest.raises(SubmitError, match="has a line END_OF_TRAINING_YAML"):
        given.render()


def test_slurms_commands_must_be_here(
    job: Callable[..., TrainingJob], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SubmitError, match="sbatch not found"):
        SlurmJob(job()).check()


def fake(folder: Path, name: str, text: str) -> None:
    """A command of Slurm's that says ``text``, for states that no small cluster gets into."""
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("state", "code", "status"),
    [
        ("PENDING", "0:0", None),
        ("RUNNING", "0:0", None),
        ("COMPLETED", "0:0", 0),
        ("FAILED", "3:0", 3),
        ("FAILED", "0:9", 137),
        ("TIMEOUT", "0:0", 1),
        ("CANCELLED", "0:15", 143),
        ("OUT_OF_MEMORY", "0:125", 253),
        ("NODE_FAIL", "0:0", 1),
        ("A_STATE_TO_COME", "0:0", 1),
    ],
)
@pytest.mark.parametrize("remembered", [True, False])
def test_a_state_is_an_exit_status(
    job: Callable[..., TrainingJob],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    state: str,
    code: str,
    status: int | None,
    remembered: bool,
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    known = (
        f"echo 'JobId=7 JobName=x JobState={state} Reason=None ExitCode={code} NodeList=n1"
        " StdOut=/a.log'"
    )
    gone = "echo slurm_load_jobs error: Invalid job id specified >&2; exit 1"
    fake(tmp_path, "scontrol", known if remembered else gone)
    fake(tmp_path, "sacct", f"echo '{state} by 0|{code}'")
    found = SlurmJob(job()).state("7")
    assert found.exit_status == status
    assert found.line.startswith(f"Slurm job 7: {state}")


@pytest.mark.parametrize(
    ("log", "end"),
    [
        ("error: the loss is nan\nsrun: error: n1\n", "; error: the loss is nan"),
        ("Traceback (most recent call last):\nValueError: a bug\n", "exit code 1:0"),
    ],
)
def test_a_failed_job_says_why_as_its_log_does(
    job: Callable[..., TrainingJob],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    log: str,
    end: str,
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "a.log").write_text(log)
    known = "JobState=FAILED Reason=None ExitCode=1:0 NodeList=n1"
    fake(tmp_path, "scontrol", f"echo 'JobId=7 {known} StdOut={tmp_path}/a.log'")
    assert SlurmJob(job()).state("7").line.endswith(end)


def test_a_job_that_nobody_knows_is_an_error(
    job: Callable[..., TrainingJob], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    fake(tmp_path, "scontrol", "echo Invalid job id specified >&2; exit 1")
    fake(tmp_path, "sacct", "echo Slurm accounting storage is disabled >&2; exit 1")
    with pytest.raises(SubmitError, match=r"no longer knows job 7, .* \(Slurm accounting storage"):
        SlurmJob(job()).state("7")


def test_a_controller_that_is_away_may_come_back(
    job: Callable[..., TrainingJob], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    fake(tmp_path, "scontrol", "echo Unable to contact slurm controller >&2; exit 1")
    with pytest.raises(UnreachableError, match="scontrol: Unable to contact"):
        SlurmJob(job()).state("7")


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A real cluster."""
    if absent := slurm_cluster.missing():
        pytest.skip(f"Slurm is not installed: no {', '.join(absent)} (apt-get install slurm-wlm)")
    with (
        slurm_cluster.cluster(tmp_path_factory.mktemp("slurm")) as configuration,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("SLURM_CONF", str(configuration))
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("HF_TOKEN", "from-outside")
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


def train(folder: Path, submit: Submit, seed: int, patience: float = 0.2) -> tuple[int, list[str]]:
    """Submits the tiny trainer and follows it; its exit status and what was said."""
    text = yaml.safe_dump({"output": str(folder / "out"), "seed": seed, "device": "cpu"})
    run = SlurmJob(TrainingJob("tiny", text, submit, "tests.submit.tiny_trainer"))
    run.check()
    lines: list[str] = []
    return follow(run, run.submit(), patience, lines.append), lines


def real_training(folder: Path, **submit: Any) -> str:
    """The YAML of a tiny model's adapter."""
    pytest.importorskip("torch")
    submit = {"gpus_per_node": 0, **submit}
    return write_training(folder, weights=True, method="lora", submit=submit)


@pytest.mark.platform
@pytest.mark.slow
@pytest.mark.usefixtures("slurm")
class TestCluster:
    @pytest.fixture(autouse=True)
    def here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)

    def test_two_nodes_train_together(self, tmp_path: Path) -> None:
        submit = Submit(
            nodes=2, gpus_per_node=0, environment={"NOTE": "it's a b"},
            secrets={"HF_TOKEN": "environment"}, hours=0.1,
        )  # fmt: skip
        status, lines = train(tmp_path, submit, seed=0)
        assert status == 0, [path.read_text() for path in tmp_path.glob("*.log")]
        assert "COMPLETED" in lines[-1]
        found = [json.loads(path.read_text()) for path in sorted((tmp_path / "out").iterdir())]
        each = {"total": 3.0, "device": "cpu", "note": "it's a b", "hub": "from-outside"}
        assert found == [{**each, "node": 0}, {**each, "node": 1}]
        assert len(list(tmp_path.glob("tiny-*.yaml"))) == 1

    def test_a_process_that_fails_fails_the_job(self, tmp_path: Path) -> None:
        status, lines = train(tmp_path, Submit(gpus_per_node=0), seed=3)
        assert status == 1
        assert "FAILED" in lines[-1] and "exit code 1:0" in lines[-1]
        (log,) = tmp_path.glob("tiny-*.log")
        assert "tiny_trainer" in log.read_text()

    def test_a_setup_that_fails_ends_the_job_before_training(self, tmp_path: Path) -> None:
        submit = Submit(gpus_per_node=0, slurm=Slurm(setup=("(exit 5)",)))
        assert train(tmp_path, submit, seed=0)[0] == 5
        assert not (tmp_path / "out").exists()

    def test_a_cancelled_job_has_failed(self) -> None:
        submit = Submit(gpus_per_node=0, slurm=Slurm(setup=("sleep 600",)))
        run = SlurmJob(TrainingJob("tiny", "seed: 0\n", submit))
        job_id = run.submit()
        while "RUNNING" not in run.state(job_id).line:
            time.sleep(0.1)
        subprocess.run(["scancel", job_id], check=True)
        lines: list[str] = []
        assert follow(run, job_id, 0.2, lines.append) not in (0, None)
        assert "CANCELLED" in lines[-1]

    def test_the_command_line_trains_an_adapter_on_two_nodes(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        config = real_training(tmp_path, nodes=2)
        status = submit_training(["--config", config, *FOLLOWED])
        out, err = capsys.readouterr()
        assert status == 0, [err, *(path.read_text() for path in tmp_path.glob("*.log"))]
        assert f"Slurm job {out.strip()}: COMPLETED" in err.splitlines()[-1]
        final = tmp_path / "output" / "final"
        assert (final / "adapter_model.safetensors").exists()
        assert json.loads((final / "crossic.json").read_text())["exports"] == [
            str(tmp_path / "export")
        ]

    def test_why_training_failed_is_in_the_line_of_its_end(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        config = real_training(tmp_path, nodes=2)
        rate = ["--set", "optimizer.learning_rate=1.0e+30"]
        # srun stops the second node, unless that ends by itself meanwhile.
        status = submit_training(["--config", config, *FOLLOWED, *rate])
        assert status in (1, 128 + signal.SIGTERM)
        *before, last = capsys.readouterr().err.splitlines()
        assert "FAILED" in last
        assert "; error: optimizer.learning_rate: 1e+30 is too high, the loss is" in last
        assert not any("error" in line for line in before)
        (log,) = tmp_path.glob("*.log")
        assert "Traceback" not in log.read_text()

    def test_a_job_goes_on_when_its_wait_is_ended(self, tmp_path: Path) -> None:
        config = real_training(tmp_path, nodes=1, slurm={"setup": ["sleep 600"]})
        command = [
            sys.executable,
            "-m",
            "crossic_etl",
            "submit",
            "--config",
            config,
            *FOLLOWED,
        ]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None and process.stderr is not None
            job_id = process.stdout.readline().strip()
            while "RUNNING" not in process.stderr.readline():
                assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            err = process.stderr.read()
        assert process.returncode == 130
        assert err == f"Slurm job {job_id} goes on; stop it with: scancel {job_id}\n"
        run = SlurmJob(TrainingJob("tiny", "seed: 0\n", Submit()))
        assert "RUNNING" in run.state(job_id).line
        subprocess.run(["scancel", job_id], check=True)
        while run.state(job_id).exit_status is None:
            time.sleep(0.1)

    def test_what_sbatch_refuses_is_one_line_in_its_words(self) -> None:
        submit = Submit(gpus_per_node=0, slurm=Slurm(partition="none"))
        with pytest.raises(SubmitError, match=r"sbatch: .*[Ii]nvalid partition") as refused:
            SlurmJob(TrainingJob("tiny", "seed: 0\n", submit)).submit()
        assert "\n" not in str(refused.value)


def test_the_interpreter_that_submits_is_the_default(job: Callable[..., TrainingJob]) -> None:
    assert f"exec {sys.executable} -m" in SlurmJob(job()).render()
