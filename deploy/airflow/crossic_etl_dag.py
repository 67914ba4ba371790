"""The pipeline as a DAG of Airflow 3: a task for each job, every month, never two runs at a time.

The first task downloads the dumps.

Put this file into Airflow's folder of DAGs. Its tasks run where a checkout of the project is; the
variables (Admin, Variables) say where, and how jobs are submitted there:

    crossic_etl_home    the checkout: /opt/crossic-etl
    crossic_etl_config  the configuration: /etc/crossic-etl/config.yaml
    crossic_etl_submit  deploy/spark-submit.sh --master spark://host:7077, or on one machine
                        .venv/bin/python
    crossic_etl_python  optional, the Python that downloads: .venv/bin/python of the checkout

A run takes the newest dumps that are complete when it begins, or those of the parameter ``date``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Param

# In this order, one after the other: a table has one writer at a time.
JOBS = (
    "pages",
    "links",
    "pairs",
    "documents",
    "embeddings",
    "calibrate",
    "neighbours",
    "samples",
    "windows",
)
# What is asked for without `crawl.sources`, or without `neighbours.calibrate`, is an error: remove
# those jobs here if your configuration has none.

# Values come through the environment: nothing that someone types as a parameter is run.
DOWNLOAD = (
    'set -o pipefail; PYTHONPATH="$PWD" $CROSSIC_ETL_PYTHON jobs/download.py '
    '--config "$CROSSIC_ETL_CONFIG" --set wikipedia.date="\'$CROSSIC_ETL_DATE\'" | '
    # The last line is what the other tasks get: the date that `latest` means in this run.
    """awk '{ print; fflush() } /^ *wikipedia.date: / { gsub(/"/, "", $2); date = $2 } """
    "END { print date }'"
)
COMMAND = (
    'PYTHONPATH="$PWD" $CROSSIC_ETL_SUBMIT jobs/pipeline.py --config "$CROSSIC_ETL_CONFIG" '
    "--set wikipedia.date=\"'$CROSSIC_ETL_DATE'\" --only "
)

with DAG(
    "crossic_etl",
    description="Wikipedia and web-crawl dumps to cross-lingual training windows",
    schedule="0 3 5 * *",  # dumps of the 1st are complete some days later
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    params={
        "date": Param(
            "latest", type="string", pattern=r"^(\d{8}|latest)$", description="of the dumps"
        )
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},
) as dag:
    download = BashOperator(
        task_id="download",
        bash_command=DOWNLOAD,
        cwd="{{ var.value.crossic_etl_home }}",
        append_env=True,
        env={
            "CROSSIC_ETL_PYTHON": "{{ var.value.get('crossic_etl_python', '.venv/bin/python') }}",
            "CROSSIC_ETL_CONFIG": "{{ var.value.crossic_etl_config }}",
            "CROSSIC_ETL_DATE": "{{ params.date }}",
        },
    )
    tasks = [
        BashOperator(
            task_id=job,
            bash_command=COMMAND + job,
            cwd="{{ var.value.crossic_etl_home }}",
            append_env=True,
            env={
                "CROSSIC_ETL_SUBMIT": "{{ var.value.crossic_etl_submit }}",
                "CROSSIC_ETL_CONFIG": "{{ var.value.crossic_etl_config }}",
                "CROSSIC_ETL_DATE": "{{ ti.xcom_pull(task_ids='download') }}",
            },
        )
        for job in JOBS
    ]
    for before, after in pairwise([download, *tasks]):
        before >> after
