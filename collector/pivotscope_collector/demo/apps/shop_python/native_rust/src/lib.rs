//! The shop's commission, natively. Sales stay Python dicts: every field crosses the boundary.

use pyo3::exceptions::PyKeyError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

const RETURN_FEE: f64 = 0.5;

fn rate(amount: f64) -> f64 {
    if amount >= 1000.0 {
        0.08
    } else if amount >= 250.0 {
        0.06
    } else if amount >= 0.0 {
        0.05
    } else {
        0.0
    }
}

fn factor(region: &str) -> PyResult<f64> {
    match region {
        "north" => Ok(1.0),
        "south" => Ok(1.1),
        "east" => Ok(0.95),
        "west" => Ok(1.05),
        other => Err(PyKeyError::new_err(other.to_owned())),
    }
}

fn field<'py>(sale: &Bound<'py, PyDict>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    sale.get_item(name)?.ok_or_else(|| PyKeyError::new_err(name.to_string()))
}

#[pyfunction]
fn run(sales_data: &Bound<'_, PyList>) -> PyResult<f64> {
    let py = sales_data.py();
    let (amount_key, region_key, returned_key) =
        (intern!(py, "amount"), intern!(py, "region"), intern!(py, "returned"));
    let mut total = 0.0;
    for item in sales_data.iter() {
        let sale = item.cast::<PyDict>()?;
        if field(sale, returned_key)?.is_truthy()? {
            total -= RETURN_FEE;
            continue;
        }
        let amount: f64 = field(sale, amount_key)?.extract()?;
        let rate = rate(amount);
        if rate > 0.0 {
            let region = field(sale, region_key)?;
            total += amount * rate * factor(region.cast::<PyString>()?.to_str()?)?;
        }
    }
    Ok(total)
}

#[pymodule]
fn vessel_commission(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(run, module)?)
}
