use std::sync::Arc;
use arrow_array::{StringViewArray, Array};
use etalon_core::column::Column;
use etalon_core::expr::{Context, Expr, Name};
use etalon_core::types::Type;
use etalon_core::value::show::show;
use serde_json::Value;
fn ctx<'a>(o:&'a [u64])->Context<'a>{Context{batch_time:0,source_name:"s",record_offsets:o}}
fn one(e:&Expr,cols:&[Option<&Column>],rows:usize)->Vec<Result<Option<String>,String>>{
  let o=vec![0;rows]; let c=e.evaluate(cols,rows,&ctx(&o));
  (0..rows).map(|r| match c.faults.of(r){Some(f)=>Err(format!("{} {:?} {}",f.code,f.code.sqlstate(),f.message)),None=>Ok(show(&c.values,r))}).collect()
}
fn same(ty:&str,a:&Option<String>,b:&Option<String>)->bool{
  match(a,b){(Some(a),Some(b))=>{ if ty.contains("double")||ty.contains("real"){ let p=|s:&str|s.parse::<f64>().ok(); match(p(a),p(b)){(Some(x),Some(y))=>x==y||(x.is_nan()&&y.is_nan()),_=>a==b} } else {a.trim_end()==b.trim_end()} },(None,None)=>true,_=>false}
}
#[test] fn run(){
  let dir="/work/shared/corpora/expr/";
  let want=["date","time","timestamp","timestamptz","interval","horology","timetz"];
  let all=std::env::var("ALL").is_ok();
  for f in ["pg_scalar","pg_assign","pg_rowmap","slt_agreed","slt_dialect_traps"]{
    let text=std::fs::read_to_string(format!("{dir}{f}.jsonl")).unwrap();
    let mut n=[0;3];
    for line in text.lines(){
      let d:Value=serde_json::from_str(line).unwrap();
      let file=d["file"].as_str().unwrap();
      let expr=d["expr"].as_str().unwrap();
      let l=expr.to_lowercase();
      if !(all||want.contains(&file)||["date","time","interval","epoch"].iter().any(|w|l.contains(w))){continue}
      let ty=d["type"].as_str().unwrap_or("").to_string();
      let mut scope=vec![]; let mut cols=vec![]; let mut rows=1; let mut bad=None;
      if let Some(cs)=d["columns"].as_array(){
        let rs=d["rows"].as_array().unwrap(); rows=rs.len();
        for (i,c) in cs.iter().enumerate(){
          let name=c["name"].as_str().unwrap(); let t=c["type"].as_str().unwrap();
          let texts:StringViewArray=rs.iter().map(|r|r[i].as_str().map(str::to_owned)).collect();
          let col=Column::new(Arc::new(texts));
          let s=[Name{name:"c".into(),ty:Type::Text,nullable:true}];
          match Expr::compile(&format!("c::{t}"),&s){Ok((e,_))=>{let o=vec![0;rows];let v=e.evaluate(&[Some(&col)],rows,&ctx(&o)); scope.push(Name{name:name.into(),ty:e.ty(),nullable:true}); cols.push(v);},Err(_)=>{bad=Some(format!("type {t}"));}}
        }
      }
      let exp:Vec<Result<Option<String>,String>>=if let Some(rs)=d["results"].as_array(){rs.iter().map(|r| if r.get("error").is_some(){Err(r["error"]["sqlstate"].to_string())}else{Ok(r["result"].as_str().map(str::to_owned))}).collect()}
        else if !d["error"].is_null(){vec![Err(d["error"]["sqlstate"].as_str().unwrap().into());rows]}else{vec![Ok(d["result"].as_str().map(str::to_owned));rows]};
      let refs:Vec<_>=cols.iter().map(Some).collect();
      let (k,why)=match bad{Some(b)=>(1,b),None=>match Expr::compile(expr,&scope){
        Err(ds)=>{let c=ds[0].code.text(); let m=format!("{c} {}",ds[0].message);
          if exp.iter().all(|e|e.is_err())&&c!="E207"{(0,m)} else if c=="E209"{(2,m)} else {(1,m)}}
        Ok((e,_))=>{let got=one(&e,&refs,rows);
          let ok=got.iter().zip(&exp).all(|(g,x)|match(g,x){(Ok(g),Ok(x))=>same(&ty,g,x),(Err(_),Err(_))=>true,_=>false});
          let inf=got.iter().zip(&exp).all(|(g,x)|match(g,x){(Ok(g),Ok(x))=>same(&ty,g,x),(Err(_),Err(_))=>true,(Err(g),_)=>g.starts_with("R329"),_=>false});
          if ok{(0,String::new())}else if inf{(1,"infinite".into())}else{(2,format!("{:?}",got.iter().zip(&exp).find(|(g,x)|match(g,x){(Ok(g),Ok(x))=>!same(&ty,g,x),(Err(_),Err(_))=>false,_=>true})))}}
      }};
      n[k]+=1;
      if k==2{println!("WRONG {f} {file} | {expr} | want {:?} | {why}",exp[0]);}
      if k==1{println!("refused {f} {file} | {expr} | want {:?} | {why}",exp[0]);}
    }
    println!("{f}: right {} refused {} wrong {}",n[0],n[1],n[2]);
  }
}
