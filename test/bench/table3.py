"""Table 3 of the ssmail paper."""
import subprocess

from machine import program


def run(report):
    report.say(subprocess.run([program("table3")], check=True, stdout=subprocess.PIPE, text=True).stdout.strip())
