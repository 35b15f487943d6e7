"""A page with one bar chart and nothing else: what Streamlit, Plotly and the browser take by themselves."""

import plotly.graph_objects as go
import streamlit as st

st.plotly_chart(go.Figure(go.Bar(x=["U", "V"], y=[3, 1])))
