#!/usr/bin/env bash
# spark-submit, with this package, its jobs, their Python environment and Delta's JARs sent along:
#
#   deploy/spark-submit.sh --master spark://host:7077 jobs/pipeline.py --config my.yaml
#   deploy/spark-submit.sh --master yarn --files my.yaml jobs/pipeline.py --config my.yaml
#   deploy/spark-submit.sh --master k8s://https://host:6443 --files my.yaml jobs/pipeline.py --config my.yaml
#
# It takes all options of spark-submit, and from the environment:
#   PYSPARK_DRIVER_PYTHON  the driver's Python in client mode   (.venv/bin/python)
#   SPARK_HOME             the Spark that submits               (pyspark of that Python)
#   CROSSIC_ETL_EXTRAS     extras that workers need too: encoders,hf
#   CROSSIC_ETL_JARS       folder with Delta's JARs, instead of Maven Central
#   CROSSIC_ETL_BUILD      where what is sent is packed         (build/deploy)
#   CROSSIC_ETL_IMAGE      Kubernetes: image built from deploy/Dockerfile
set -euo pipefail

usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
driver=${PYSPARK_DRIVER_PYTHON:-$root/.venv/bin/python}
build=${CROSSIC_ETL_BUILD:-$root/build/deploy}
submit=${SPARK_HOME:-$("$driver" -c 'import pathlib, pyspark; print(pathlib.Path(pyspark.__file__).parent)')}/bin/spark-submit

packages=io.delta:delta-spark_4.1_2.13:4.4.0
jars=
[ -z "${CROSSIC_ETL_JARS:-}" ] || { packages=; jars=$(printf '%s,' "$CROSSIC_ETL_JARS"/*.jar); }
master=
mode=
options=(--properties-file "$root/deploy/spark-defaults.conf")
while [ $# -gt 0 ]; do
  case "$1" in
    --help|-h) usage; exit 0 ;;
    --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
    --verbose|-v|--supervise) ;;
    --*) [ $# -gt 1 ] || { echo "$1 needs a value" >&2; exit 2; } ;;
  esac
  case "$1" in
    --master) master=$2; shift 2 ;;
    --deploy-mode) mode=$2; shift 2 ;;
    --packages) packages=${packages:+$packages,}$2; shift 2 ;;
    --jars) jars=$jars$2; shift 2 ;;
    --py-files|--archives) echo "$1 is what this script sets: put packages into an extra of setup.cfg" >&2; exit 2 ;;
    --verbose|-v|--supervise) options+=("$1"); shift ;;
    --*) options+=("$1" "$2"); shift 2 ;;
    *) break ;;
  esac
done
[ -n "$master" ] && [ $# -gt 0 ] || { echo "--master and a job are needed" >&2; usage >&2; exit 2; }

case "$master" in
  k8s://*) # the image has everything
    mode=${mode:-cluster}
    job=local:///opt/crossic-etl/$1
    options+=(--conf "spark.kubernetes.container.image=${CROSSIC_ETL_IMAGE:?names the image built from deploy/Dockerfile}")
    packages=$(printf '%s' "$packages" | sed 's/io\.delta:[^,]*,\{0,1\}//') ;;
  *) # yarn runs the driver on the cluster; a standalone master can't, with Python
    [ "$master" = yarn ] && mode=${mode:-cluster}
    job=$1
    "$driver" "$root/deploy/pack.py" --extras "${CROSSIC_ETL_EXTRAS:-}" "$build"
    options+=(
      --py-files "$build/crossic_etl.zip"
      --archives "$build/environment.tar.gz#environment"
      --conf spark.pyspark.python=./environment/bin/python
    )
    [ "${mode:-client}" = cluster ] || options+=(--conf "spark.pyspark.driver.python=$driver") ;;
esac
shift
[ -z "$packages" ] || options+=(--packages "$packages")
[ -z "$jars" ] || options+=(--jars "${jars%,}")
exec "$submit" --master "$master" --deploy-mode "${mode:-client}" "${options[@]}" "$job" "$@"
